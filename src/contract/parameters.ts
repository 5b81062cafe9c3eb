import { type NumberRule, type ParameterRule, REQUEST_ID, TRACEPARENT } from '../http/input.ts';
import { textOf } from './schema.ts';
import { ID_SCHEMA } from './schemas.ts';
import { STORY } from './story.ts';
import type { Parameter, Schema } from './types.ts';

/** A query parameter as its rule reads it. */
export function query(
  name: string,
  rule: ParameterRule | NumberRule,
  description: string,
  more: Pick<Parameter, 'example' | 'deprecated' | 'required'> = {},
): Parameter {
  return {
    name,
    in: 'query',
    description,
    ...('required' in rule && rule.required && { required: true }),
    schema: schemaOf(rule),
    ...more,
  };
}

function schemaOf(rule: ParameterRule | NumberRule): Schema {
  if ('min' in rule) return { type: 'integer', minimum: rule.min, maximum: rule.max, default: rule.fallback };
  if (rule.words) return { type: 'string', enum: rule.words };
  return rule.pattern ? textOf(rule.pattern) : ID_SCHEMA;
}

export const path = (name: string, schema: Schema, description: string, example: string): Parameter => ({
  name,
  in: 'path',
  required: true,
  description,
  schema,
  example,
});

export const header = (name: string, description: string, schema: Schema, example?: string): Parameter => ({
  name,
  in: 'header',
  description,
  schema,
  ...(example !== undefined && { example }),
});

export const IF_NONE_MATCH = header(
  'If-None-Match',
  'The ETag of the copy you have. The answer is 304 while it is current.',
  { type: 'string' },
);

/** Headers that every request may have. */
export const COMMON_PARAMETERS = {
  request_id: header(
    'X-Request-Id',
    'Your id for this request, used in its answer and in the log. An id of another form is replaced.',
    textOf(REQUEST_ID),
    STORY.requestId,
  ),
  traceparent: header(
    'traceparent',
    'W3C trace context, for the log. Ignored if malformed.',
    textOf(TRACEPARENT),
    STORY.traceparent,
  ),
} as const;
