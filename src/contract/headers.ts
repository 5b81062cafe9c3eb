import { REQUEST_ID } from '../http/input.ts';
import { ref, textOf } from './schema.ts';
import type { Header, Schema } from './types.ts';

const text: Schema = { type: 'string' };

/** Every header of an answer that a client may read. */
export const HEADERS = {
  'X-Request-Id': {
    required: true,
    description: 'On every answer: the id you sent, or a new one.',
    schema: textOf(REQUEST_ID),
  },
  'Retry-After': {
    required: true,
    description: 'Seconds to wait before you send the same request again.',
    schema: { type: 'integer', minimum: 1 },
  },
  RateLimit: {
    required: true,
    description:
      'Of a 429: whose limit it is, `"user"` or `"address"`, what is left of it (`r=0`), and after how many seconds there is more (`t`).',
    schema: text,
  },
  'RateLimit-Policy': {
    required: true,
    description: 'That limit: `q` requests in `w` seconds.',
    schema: text,
  },
  'X-Shard-Owner': {
    description: 'The slot that owns the item; only with `WORKER_PORT_BASE`.',
    schema: { type: 'integer', minimum: 0 },
  },
  'Idempotent-Replayed': {
    description: '`true`: this repeats the original answer. Only for requests with an `Idempotency-Key`.',
    schema: { type: 'string', const: 'true' },
  },
  ETag: { required: true, description: 'The version of the body.', schema: text },
  'Cache-Control': { required: true, description: 'How long a cache may keep the answer.', schema: text },
  Link: { description: 'The next page: `<…>; rel="next"`. Absent on the last one.', schema: text },
  Location: { required: true, description: 'The path of what was created.', schema: text },
  'WWW-Authenticate': {
    required: true,
    description: 'The scheme to use, `Bearer`, and of a token that was sent what is wrong with it.',
    schema: text,
  },
  Allow: { description: 'With 405: the methods of this path.', schema: text },
} as const satisfies Record<string, Header>;

export type HeaderName = keyof typeof HEADERS;

/** The references of an answer's headers. */
export const headerRefs = (names: readonly HeaderName[]) =>
  Object.fromEntries(['X-Request-Id' as const, ...names].map((name) => [name, ref('headers', name)]));
