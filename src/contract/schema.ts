import type { Schema } from './types.ts';

/** The text that a pattern of ours accepts, as a schema. */
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

export const listOf = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });

/** A component by its kind and name. */
export const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
