import { isReference, nameOf } from './page/contract.ts';
import type { Document, Schema } from './types.ts';

/** What buyers and their clients read and send: these operations' schemas are in the client's types. */
const TAGS: readonly string[] = ['Buying', 'Sales'];
const HEAD = `// Made from the contract by "node scripts/client-types.mjs"; test/client/contract.test.ts compares it. Do not edit.\n`;

/** The schemas of what buyers are answered, as TypeScript; all of it follows from the document. */
export function typesOf(document: Document): string {
  const { schemas } = document.components;
  const names = new Set<string>(['Problem']);
  const meet = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    if (isReference(part) && part.$ref.startsWith('#/components/schemas/')) {
      const name = nameOf(part);
      if (names.has(name)) return;
      names.add(name);
      meet(schemas[name]);
      return;
    }
    for (const value of Object.values(part)) meet(value);
  };
  for (const item of Object.values(document.paths))
    for (const { tags, responses } of Object.values(item))
      if (tags.some((tag) => TAGS.includes(tag)))
        for (const [status, response] of Object.entries(responses))
          if (status.startsWith('2')) meet(response);
  const definitions = [...names].sort().map((name) => definitionOf(name, schemas[name] as Schema));
  return [HEAD, ...definitions].join('\n');
}

function definitionOf(name: string, schema: Schema): string {
  const doc = schema.description ? `/** ${schema.description} */\n` : '';
  if (schema.properties === undefined) return `${doc}export type ${name} = ${typeOf(schema)};\n`;
  return `${doc}export interface ${name} {\n${fieldsOf(schema, '  ')}}\n`;
}

const fieldsOf = ({ properties = {}, required = [] }: Schema, indent: string): string =>
  Object.entries(properties)
    .map(([field, schema]) => {
      const doc = schema.description ? `${indent}/** ${schema.description} */\n` : '';
      const isOptional = !required.includes(field);
      const type = typeOf(schema, indent);
      return `${doc}${indent}readonly ${field}${isOptional ? '?' : ''}: ${type}${isOptional ? ' | undefined' : ''};\n`;
    })
    .join('');

function typeOf(schema: Schema, indent = ''): string {
  if (isReference(schema)) return nameOf(schema);
  if (schema.const !== undefined) return wordOf(schema.const);
  if (schema.enum) return schema.enum.map(wordOf).join(' | ');
  if (schema.oneOf) return schema.oneOf.map((each) => typeOf(each, indent)).join(' | ');
  if (schema.items) return `readonly ${inParentheses(typeOf(schema.items, indent))}[]`;
  if (schema.properties) return `{\n${fieldsOf(schema, `${indent}  `)}${indent}}`;
  if (schema.type === 'object') {
    const { additionalProperties: values } = schema;
    return `Readonly<Record<string, ${typeof values === 'object' ? typeOf(values, indent) : 'unknown'}>>`;
  }
  if (schema.type === 'integer') return 'number';
  return schema.type ?? 'unknown';
}

const inParentheses = (type: string): string => (type.includes(' | ') ? `(${type})` : type);

const wordOf = (value: unknown): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : JSON.stringify(value);
