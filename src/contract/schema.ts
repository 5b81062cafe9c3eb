import type { Reference, Schema } from './types.ts';

/** The key under which a reference carries its definition, for `definitionsIn`. JSON omits symbols. */
const DEFINITION = Symbol('definition');

/** A schema that the document lists under a name: a reference, which brings its definition along. */
export const named = (name: string, definition: Schema): Schema & Reference =>
  Object.assign(ref('schemas', name), { [DEFINITION]: definition });

/** All named schemas that a part of the document refers to, by name, in the order in which they are met. */
export function definitionsIn(part: unknown, found = new Map<string, Schema>()): Map<string, Schema> {
  if (typeof part !== 'object' || part === null) return found;
  const { $ref, [DEFINITION]: definition } = part as { $ref?: string; [DEFINITION]?: Schema };
  const name = $ref?.slice($ref.lastIndexOf('/') + 1);
  if (definition !== undefined && name !== undefined && !found.has(name)) {
    found.set(name, definition);
    definitionsIn(definition, found);
  }
  for (const value of Object.values(part)) definitionsIn(value, found);
  return found;
}

/** The schema of texts that a pattern accepts. */
export const textOf = (pattern: RegExp, description?: string, more: Schema = {}): Schema => ({
  type: 'string',
  pattern: pattern.source,
  ...(description !== undefined && { description }),
  ...more,
});

/** A whole number from `minimum` on. */
export const count = (description: string, minimum = 0, more: Schema = {}): Schema => ({
  type: 'integer',
  minimum,
  description,
  ...more,
});

/** An object with all these fields. `T` is the type of what is answered: a field that is left out does not compile. */
export const objectOf = <T>(properties: Readonly<Record<keyof T & string, Schema>>): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});

/** An object that may have these fields as well. */
export const withOptional = (object: Schema, properties: Readonly<Record<string, Schema>>): Schema => ({
  ...object,
  properties: { ...object.properties, ...properties },
});

export const listOf = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });

/** A component by its kind and name. */
export const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
