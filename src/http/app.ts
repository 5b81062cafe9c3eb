import { type Context, Hono } from 'hono';
import type { Answer, RequestContext } from './answer.ts';
import type { ContextOf } from './context.ts';
import { failureCode } from './failure.ts';
import { type Query, splitTarget } from './input.ts';
import { type Observer, OTHER } from './observer.ts';
import { type ProblemCode, problem } from './problem.ts';

/** The handlers behind the routes, made in `worker/main`. */
export interface Handlers {
  checkout(context: RequestContext, query: Query): Promise<Answer>;
  purchase(context: RequestContext, query: Query, replay: boolean): Promise<Answer>;
  receipt(context: RequestContext, code: string): Promise<Answer>;
  activeSale(context: RequestContext): Promise<Answer>;
  sale(context: RequestContext, id: string): Promise<Answer>;
  sales(context: RequestContext, query: Query): Promise<Answer>;
  items(context: RequestContext, saleId: string, query: Query, knownTag: string | undefined): Promise<Answer>;
  image(context: RequestContext, itemId: string, knownTag: string | undefined): Answer;
  guardAdmin(context: RequestContext, authorization: string | undefined): Answer | undefined;
  createSale(context: RequestContext, body: unknown): Promise<Answer>;
  health(context: RequestContext): Promise<Answer>;
  shards(): Answer;
  metrics(context: RequestContext): Promise<Answer>;
  openapi(knownTag: string | undefined): Answer;
  docs(knownTag: string | undefined): Answer;
  live(context: RequestContext): Answer;
  ready(context: RequestContext): Promise<Answer>;
}

export interface AppDeps {
  readonly handlers: Handlers;
  readonly contextOf: ContextOf;
  readonly observer: Observer;
  readonly onError: (context: RequestContext, error: unknown) => void;
}

/** An admin item list of some 20,000 items. */
export const ADMIN_BODY_BYTES_MAX = 4 << 20;

type Route = (c: Context, context: RequestContext, query: Query) => Answer | Promise<Answer>;

/** The whole contract as a Hono app: routes, and the one place where what is thrown becomes an answer. */
export function createApp({ handlers: h, contextOf: makeContext, observer, onError }: AppDeps): Hono {
  const app = new Hono();
  const contextOf = (c: Context): RequestContext => {
    const made = c.get('context') as RequestContext | undefined;
    if (made) return made;
    const context = makeContext(c.req.path, c.req.header('x-request-id'), c.req.header('traceparent'));
    c.set('context', context);
    return context;
  };

  const attempt = async (context: RequestContext, work: () => Answer | Promise<Answer>): Promise<Answer> => {
    try {
      return await work();
    } catch (error) {
      onError(context, error);
      return problem(context, failureCode(error));
    }
  };
  const serve = (path: string, route: Route) => {
    const onAnswered = observer.route(path);
    return async (c: Context) => {
      const context = contextOf(c);
      const { query } = splitTarget(c.req.url);
      const answer = await attempt(context, () => route(c, context, query));
      onAnswered(c.req.method, context, answer);
      return respond(answer, context);
    };
  };
  const fail = (path: string, code: ProblemCode, headers?: Record<string, string>) => {
    const onAnswered = observer.route(path);
    return (c: Context) => {
      const context = contextOf(c);
      const answer = problem(context, code, undefined, headers);
      onAnswered(c.req.method, context, answer);
      return respond(answer, context);
    };
  };
  const param = (c: Context, name: string) => c.req.param(name) as string;
  const knownTag = (c: Context) => c.req.header('if-none-match');

  const routes: Record<string, { GET?: Route; POST?: Route }> = {
    '/checkout': { POST: (_, context, query) => h.checkout(context, query) },
    '/purchase': {
      POST: (c, context, query) => h.purchase(context, query, c.req.header('idempotency-key') !== undefined),
    },
    '/purchases/:code': { GET: (c, context) => h.receipt(context, param(c, 'code')) },
    '/sales/active': { GET: (_, context) => h.activeSale(context) },
    '/sales': { GET: (_, context, query) => h.sales(context, query) },
    '/sales/:id': { GET: (c, context) => h.sale(context, param(c, 'id')) },
    '/sales/:id/items': {
      GET: (c, context, query) => h.items(context, param(c, 'id'), query, knownTag(c)),
    },
    '/items/:id/image.svg': { GET: (c, context) => h.image(context, param(c, 'id'), knownTag(c)) },
    '/admin/sales': { POST: (c, context) => createSale(c, context, h) },
    '/health': { GET: (_, context) => h.health(context) },
    '/shards': { GET: () => h.shards() },
    '/metrics': { GET: (_, context) => h.metrics(context) },
    '/openapi.json': { GET: (c) => h.openapi(knownTag(c)) },
    '/docs': { GET: (c) => h.docs(knownTag(c)) },
    '/livez': { GET: (_, context) => h.live(context) },
    '/readyz': { GET: (_, context) => h.ready(context) },
  };

  for (const [path, { GET, POST }] of Object.entries(routes)) {
    if (GET) app.get(path, serve(path, GET));
    if (POST) app.post(path, serve(path, POST));
    app.all(path, fail(path, 'method_not_allowed', { Allow: GET ? 'GET, HEAD' : 'POST' }));
  }
  app.notFound(fail(OTHER, 'not_found'));
  // What Hono itself throws; a route's own errors have been answered above.
  const onAnswered = observer.route(OTHER);
  app.onError(async (error, c) => {
    const context = contextOf(c);
    const answer = await attempt(context, () => Promise.reject(error));
    onAnswered(c.req.method, context, answer);
    return respond(answer, context);
  });
  return app;
}

/** An answer as a fetch Response. */
export function respond(answer: Answer, context: RequestContext): Response {
  const headers: Record<string, string> = {
    'X-Request-Id': context.requestId,
    'X-Content-Type-Options': 'nosniff',
    ...answer.headers,
  };
  if (answer.type !== '') headers['Content-Type'] = answer.type;
  return new Response(answer.status === 304 ? null : answer.body, { status: answer.status, headers });
}

async function createSale(c: Context, context: RequestContext, h: Handlers): Promise<Answer> {
  const refused = h.guardAdmin(context, c.req.header('authorization'));
  if (refused) return refused;
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(type))
    return problem(context, 'unsupported_media_type');
  let text: string | undefined;
  try {
    text = await readBody(c);
  } catch {
    // Its client has left, or was too slow: nobody hears this, and it is no fault of ours.
    return problem(context, 'malformed_request');
  }
  if (text === undefined) return problem(context, 'body_too_large');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return problem(context, 'malformed_request');
  }
  return h.createSale(context, body);
}

/**
 * The text of a body, or undefined when there is too much of it. Hono's bodyLimit cannot read one that comes
 * without a length: it makes a Request of node's own from what is none.
 */
async function readBody(c: Context): Promise<string | undefined> {
  const reader = c.req.raw.body?.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    bytes += part.value.length;
    if (bytes > ADMIN_BODY_BYTES_MAX) return undefined;
    parts.push(part.value);
  }
  return Buffer.concat(parts).toString();
}
