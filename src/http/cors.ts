import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';
import { ADMIN } from './strictness.ts';

/**
 * Lets pages of other origins read the answers (https://fetch.spec.whatwg.org/#http-cors-protocol). There are no cookies, so that
 * no credentials are allowed: a page that proves its buyer sends a token. The admin API stays out: in development it is open.
 */
export interface Cors {
  /** The answer with the headers that a browser looks for. */
  dress(asked: Asked, answer: Answer): Answer;
  /** The answer to a preflight for a path with these methods; undefined when the request is none, or its origin may not ask. */
  preflight(asked: Asked, methods: string): Answer | undefined;
}

/** Headers of answers that scripts may read, beside those that they always may. `test/http/cors.test.ts` compares them with the contract. */
export const EXPOSED = [
  ...['X-Request-Id', 'Retry-After', 'X-Shard-Owner', 'Idempotent-Replayed', 'ETag', 'Link', 'Location'],
  ...['WWW-Authenticate', 'Allow', 'RateLimit', 'RateLimit-Policy'],
];
/** Headers that scripts may send. */
const ALLOWED = 'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id, traceparent';
/** How long a browser may keep the answer to a preflight: an origin that is taken off the list is out after this, in seconds. */
const PREFLIGHT_AGE_S = 600;

/** @param origins exact origins, or `*` for any */
export function createCors(origins: readonly string[] | '*'): Cors {
  const exposed = EXPOSED.join(', ');
  const headersFor = (origin: string) => ({
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': exposed,
  });
  // A cache must not give the answer for one origin, or for none, to another.
  const vary = { Vary: 'Origin' };
  const toAny = headersFor('*');
  const toOne = new Map(
    origins === '*' ? [] : origins.map((origin) => [origin, { ...headersFor(origin), ...vary }]),
  );
  const headersOf = ({ path, headers: { origin } }: Asked): Record<string, string> | undefined => {
    if (path.startsWith(ADMIN)) return undefined;
    return origins === '*' ? toAny : (toOne.get(origin ?? '') ?? vary);
  };

  return {
    dress: (asked, answer) => {
      const headers = headersOf(asked);
      if (headers === undefined) return answer;
      // What an answer varies by of itself it still does.
      const varies = [answer.headers?.Vary, headers.Vary].filter((each) => each !== undefined).join(', ');
      return {
        ...answer,
        headers: { ...answer.headers, ...headers, ...(varies !== '' && { Vary: varies }) },
      };
    },
    preflight(asked, methods) {
      const { origin, wantsMethod } = asked.headers;
      if (asked.method !== 'OPTIONS' || origin === undefined || wantsMethod === undefined) return undefined;
      if (headersOf(asked)?.['Access-Control-Allow-Origin'] === undefined) return undefined;
      const headers = {
        'Access-Control-Allow-Methods': methods,
        'Access-Control-Allow-Headers': ALLOWED,
        'Access-Control-Max-Age': String(PREFLIGHT_AGE_S),
      };
      return { status: 204, type: '', body: '', headers };
    },
  };
}
