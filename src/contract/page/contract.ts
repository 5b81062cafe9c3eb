import type {
  Document,
  Example,
  Header,
  Operation,
  Parameter,
  Reference,
  Response,
  Schema,
} from '../types.ts';

/** What the page looks up in the document. */
export interface Contract {
  readonly document: Document;
  /** The operations in their order. */
  readonly operations: readonly Described[];
  find<T extends Parameter | Header | Response | Example | Schema>(of: T | Reference): T;
}

export interface Described {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  readonly path: string;
  readonly operation: Operation;
}

/** The last part of a reference. */
export const nameOf = ({ $ref }: Reference): string => $ref.slice($ref.lastIndexOf('/') + 1);

export const isReference = (value: object): value is Reference => '$ref' in value;

export function contractOf(document: Document): Contract {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    (['get', 'post', 'patch', 'delete'] as const).flatMap((method) => {
      const operation = item[method];
      return operation ? [{ method, path, operation }] : [];
    }),
  );
  return {
    document,
    operations,
    find: (value) => {
      if (!isReference(value)) return value;
      const [, , kind, name] = value.$ref.split('/') as [
        string,
        string,
        keyof Document['components'],
        string,
      ];
      const { [name]: found } = document.components[kind] as Record<string, unknown>;
      if (found === undefined) throw new Error(`nothing at ${value.$ref}`);
      return found as Exclude<typeof value, Reference>;
    },
  };
}
