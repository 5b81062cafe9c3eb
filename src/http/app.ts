import type { IncomingMessage } from 'node:http';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { routePath } from 'hono/route';
import type { Answer } from './answer.ts';
import { type Ask, type Asked, NO_PEER } from './asked.ts';
import type { Handle } from './handle.ts';
import { headersOf } from './head.ts';
import { splitTarget } from './input.ts';
import type { ProblemCode } from './problem.ts';
import { readBody } from './read-body.ts';
import { refusal } from './refusal.ts';
import { respondInParts } from './respond-in-parts.ts';
import type { Route } from './route.ts';
import { NOT_FOUND, type Routing } from './routing.ts';
import { adminGuard } from './session.ts';
import { ADMIN, bodyBytesMax } from './strictness.ts';

export interface AppDeps {
  readonly routing: Routing;
  readonly ask: Ask;
  readonly handle: Handle;
  /** `open` without a token in development; `absent` without one in production. */
  readonly admin: { readonly token: string } | 'open' | 'absent';
}

/** The whole contract as a Hono app: reads what node:http has parsed, and writes its answers. */
export function createApp({ routing, ask, handle, admin }: AppDeps): Hono {
  const app = new Hono();
  const serve = (route: Route) => async (c: Context) => {
    const asked = ask(readingOf(c, route));
    const answer = await handle(asked);
    if (answer.stream === undefined) return respond(answer, asked);
    if (asked.method !== 'HEAD') return respondInParts(answer.stream, answer, asked, c.env);
    answer.stream.onEnd();
    return respond(answer, asked);
  };
  const guards: MiddlewareHandler[] = [
    ...(admin === 'absent' ? [serve(NOT_FOUND)] : admin === 'open' ? [] : [adminGuard(admin.token)]),
  ];
  for (const { method, route } of routing.entries) {
    if (method === 'ALL') app.all(route.path, serve(route));
    // Whoever has the token is limited by nothing; who guesses one is, since its refusal has a route of its own.
    else if (route.path.startsWith(ADMIN))
      app.on(method, [route.path], ...guards, serve({ ...route, isUnlimited: true }));
    else app.on(method, [route.path], serve(route));
  }
  app.notFound(serve(NOT_FOUND));
  // Errors of guards and of Hono itself; `handle` has answered those of routes.
  app.onError((error, c) => serve(refusalOf(error, routePath(c)))(c));
  return app;
}

const CODES: Readonly<Record<number, ProblemCode>> = {
  // bearerAuth answers this to a header without a bearer token.
  400: 'unauthorized',
  401: 'unauthorized',
};

function refusalOf(error: Error, path: string): Route {
  const code = error instanceof HTTPException ? CODES[error.status] : undefined;
  return code ? refusal(code, path) : { path, answer: () => Promise.reject(error) };
}

/** What @hono/node-server passes along with a request. */
type Bindings = { readonly incoming?: IncomingMessage } | undefined;

function readingOf(c: Context, route: Route) {
  const incoming = (c.env as Bindings)?.incoming;
  return {
    route,
    method: c.req.method,
    path: c.req.path,
    params: c.req.param(),
    query: splitTarget(c.req.url).query,
    headers: {
      requestId: c.req.header('x-request-id'),
      traceparent: c.req.header('traceparent'),
      ifNoneMatch: c.req.header('if-none-match'),
      idempotencyKey: c.req.header('idempotency-key'),
      contentType: c.req.header('content-type'),
      host: c.req.header('host'),
      authorization: c.req.header('authorization'),
      forwardedFor: c.req.header('x-forwarded-for'),
      forwarded: c.req.header('forwarded'),
      origin: c.req.header('origin'),
      wantsMethod: c.req.header('access-control-request-method'),
      accept: c.req.header('accept'),
      acceptEncoding: c.req.header('accept-encoding'),
      lastEventId: c.req.header('last-event-id'),
      ifMatch: c.req.header('if-match'),
    },
    peer: incoming?.socket ?? NO_PEER,
    ...(incoming && { readBody: () => readBody(incoming, bodyBytesMax(c.req.path)) }),
    hasLeft: () => c.env.outgoing.closed,
  };
}

/** An answer as a fetch Response. */
export function respond(answer: Answer, { requestId }: Asked): Response {
  const { status, body, bytes } = answer;
  return new Response(status === 304 || status === 204 ? null : ((bytes ?? body) as string), {
    status,
    headers: headersOf(answer, requestId),
  });
}
