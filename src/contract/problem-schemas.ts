import { REQUEST_ID } from '../http/input.ts';
import type { Extensions, ProblemCode } from '../http/problem.ts';
import { PROBLEMS, problem } from '../http/problem.ts';
import { textOf } from './schema.ts';
import { CODE_SCHEMA, ID_SCHEMA, RECEIPT_SCHEMA } from './schemas.ts';
import { STORY } from './story.ts';
import type { Example, Schema } from './types.ts';

export const CODES = Object.keys(PROBLEMS) as ProblemCode[];

/** The extra member of some problems. */
const EXTENSIONS: Partial<Record<ProblemCode, { member: string; schema: Schema; example: Extensions }>> = {
  validation_failed: {
    member: 'errors',
    schema: {
      type: 'object',
      description: 'A sentence for each bad field.',
      additionalProperties: { type: 'string' },
    },
    example: { errors: { user_id: 'user_id is required' } },
  },
  already_in_checkout: {
    member: 'checkout_code',
    schema: { ...CODE_SCHEMA, description: 'The code of the cart that holds the item.' },
    example: { checkout_code: STORY.code },
  },
  not_admitted: {
    member: 'place',
    schema: {
      oneOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }],
      description: 'The place of the ticket; null without one, or while the draw was not made.',
    },
    example: { place: 1204 },
  },
  exceeds_purchase: {
    member: 'left',
    schema: {
      type: 'array',
      description: 'What the buyer still has, in units.',
      items: {
        type: 'object',
        properties: { id: ID_SCHEMA, quantity: { type: 'integer', minimum: 0 } },
        required: ['id', 'quantity'],
      },
    },
    example: { left: [{ id: STORY.item, quantity: 1 }] },
  },
  all_items_sold: {
    member: 'receipt',
    schema: { ...RECEIPT_SCHEMA, description: 'Every line, none of them bought.' },
    example: { receipt: STORY.lost },
  },
  already_processed: {
    member: 'receipt',
    schema: { ...RECEIPT_SCHEMA, description: 'The original answer.' },
    example: { receipt: STORY.receipt },
  },
};

const text = (description: string): Schema => ({ type: 'string', description });
const MEMBERS: Readonly<Record<string, Schema>> = {
  type: text('A URN that ends in the code.'),
  title: text('A few words for people.'),
  status: { type: 'integer', description: 'The status of the answer.' },
  detail: text('A sentence for people.'),
  code: { type: 'string', enum: CODES, description: 'Stable: decide by it.' },
  message: text('The same sentence as `detail`, for older clients.'),
  instance: text('The path of the request; empty when it could not be read.'),
  request_id: textOf(REQUEST_ID, 'The value of the header X-Request-Id; finds the request in the log.'),
};
const REQUIRED = Object.keys(MEMBERS);

/** The name of a code's schema. */
export const nameOf = (code: ProblemCode): string =>
  code.replace(/(^|_)(\w)/g, (_, _before, letter: string) => letter.toUpperCase());

function schemaOf(code: ProblemCode): Schema {
  const [status, title, sentence] = PROBLEMS[code];
  const extension = EXTENSIONS[code];
  return {
    type: 'object',
    description: sentence,
    properties: {
      ...MEMBERS,
      type: { type: 'string', const: `urn:flashsale:problem:${code}` },
      title: { ...MEMBERS.title, examples: [title] },
      status: { type: 'integer', const: status },
      code: { type: 'string', const: code },
      ...(extension && { [extension.member]: extension.schema }),
    },
    required: extension ? [...REQUIRED, extension.member] : REQUIRED,
  };
}

/** The schema of a code's problem with a member of its own beside those that all have. */
export function schemaWith(code: ProblemCode, member: string, schema: Schema): Schema {
  const { properties, required = [], ...rest } = schemaOf(code);
  return { ...rest, properties: { ...properties, [member]: schema }, required: [...required, member] };
}

/** The problem in general, and one schema for each code. */
export const PROBLEM_SCHEMAS: Readonly<Record<string, Schema>> = {
  Problem: {
    type: 'object',
    description: 'RFC 9457 problem details.',
    properties: MEMBERS,
    required: REQUIRED,
  },
  ...Object.fromEntries(CODES.map((code) => [nameOf(code), schemaOf(code)])),
};

/** Where the example of a code happens; elsewhere only `instance` differs. */
const PLACE: Partial<Record<ProblemCode, string>> = {
  checkout_not_found: '/purchase',
  all_items_sold: '/purchase',
  already_processed: '/purchase',
  outcome_unknown: '/purchase',
  unauthorized: '/admin/sales',
  unsupported_media_type: '/admin/sales',
  idempotency_mismatch: '/admin/sales',
  not_found: '/nothing',
  malformed_request: '',
  headers_too_large: '',
  request_timeout: '',
};

/** A problem as the service itself would answer it. */
export const exampleOf = (code: ProblemCode, extensions = EXTENSIONS[code]?.example): Example => {
  const context = { requestId: STORY.requestId, path: PLACE[code] ?? '/checkout' };
  const { body } = problem(context, code, extensions);
  return { summary: PROBLEMS[code][1], value: JSON.parse(body) };
};

/** Every problem, under its code. */
export const PROBLEM_EXAMPLES: Readonly<Record<string, Example>> = Object.fromEntries(
  CODES.map((code) => [code, exampleOf(code)]),
);
