import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Answer, RequestContext } from '../routes/answer.ts';
import { splitTarget } from '../routes/input.ts';
import { type ProblemCode, problem } from '../routes/problem.ts';
import { ADMIN_BODY_BYTES_MAX, type Handlers, respond } from './app.ts';
import { type Observer, OTHER } from './observer.ts';
import type { ContextOf } from './request-context.ts';

const HEADER_BYTES_MAX = 8 << 10;
const BODY_BYTES_MAX = 64 << 10;
const HEADER_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than the idle time of common gateways (60 s), so that it is they who close. */
const KEEP_ALIVE_MS = 65_000;
/** How often the time-outs above are enforced; node's own 30 s would leave slow clients six times as long. */
const CHECK_MS = 1_000;
/** While draining, a client that keeps its connection hears `Connection: close` with its next answer; one that is silent for so long is let go. */
const FAREWELL_MS = 1_000;
/** Per worker: each costs some 10 KiB; past this, connecting clients are refused at once. */
const CONNECTIONS_MAX = 10_000;

export interface ServerDeps {
  readonly app: Hono;
  readonly handlers: Pick<Handlers, 'checkout' | 'purchase'>;
  readonly contextOf: ContextOf;
  /** Hears of every answer. */
  readonly observer: Observer;
  readonly onError: (context: RequestContext, error: unknown) => void;
  /** From here on clients are asked to close: nobody listens here any more. */
  readonly isLeaving: () => boolean;
}

/** Who hears of an answer, by what is known of its route. */
type Answered = Record<'checkout' | 'purchase' | 'other', ReturnType<Observer['route']>>;

/**
 * The HTTP server of a worker. POST /checkout and POST /purchase, all but all of the traffic, go straight to
 * their handlers; everything else goes through the Hono app, which knows these two as well.
 */
export function createHttpServer(deps: ServerDeps): Server {
  const answered: Answered = {
    checkout: deps.observer.route('/checkout'),
    purchase: deps.observer.route('/purchase'),
    other: deps.observer.route(OTHER),
  };
  const refuse = (req: IncomingMessage, res: ServerResponse, code: ProblemCode) => {
    const context = contextOf(deps, req, pathOf(req));
    const answer = problem(context, code);
    answered.other(req.method, context, answer);
    send(res, context, answer);
  };
  const viaHono = getRequestListener(deps.app.fetch, {
    // What cannot become a Request at all, such as one with a broken Host.
    errorHandler: () => {
      const context = deps.contextOf('');
      const answer = problem(context, 'malformed_request');
      answered.other(undefined, context, answer);
      return respond(answer, context);
    },
  });
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADER_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
      // node would refuse them itself, without a body.
      requireHostHeader: false,
    },
    (req, res) => {
      if (deps.isLeaving()) res.setHeader('Connection', 'close');
      const refusal = refusalOf(req);
      if (refusal) return refuse(req, res, refusal);
      if (!expressLane(deps, answered, req, res)) void viaHono(req, res);
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('checkExpectation', (req, res) => refuse(req, res, 'expectation_failed'));
  server.on('clientError', (error, socket) =>
    refuseUnreadable(deps, answered.other, error, socket as Socket),
  );
  return server;
}

// node joins repeated headers into one string, which is then no well-formed id.
const contextOf = (deps: ServerDeps, req: IncomingMessage, path: string): RequestContext =>
  deps.contextOf(
    path,
    req.headers['x-request-id'] as string | undefined,
    req.headers.traceparent as string | undefined,
  );

const pathOf = (req: IncomingMessage): string => (req.url ?? '').split('?', 1)[0] as string;

/**
 * Why a request is refused before its route is known: it names no Host, or announces a body larger than its path
 * accepts. The connection stays open, and node discards what still comes of that body within the request time-out:
 * a client that is cut off while it sends does not hear the answer.
 */
function refusalOf(req: IncomingMessage): 'malformed_request' | 'body_too_large' | undefined {
  if (req.headers.host === undefined) return 'malformed_request';
  const bytesMax = req.url?.startsWith('/admin/') ? ADMIN_BODY_BYTES_MAX : BODY_BYTES_MAX;
  return Number(req.headers['content-length'] ?? 0) > bytesMax ? 'body_too_large' : undefined;
}

/** Serves the two hot routes without Hono; false for everything else. */
function expressLane(
  deps: ServerDeps,
  answered: Answered,
  req: IncomingMessage,
  res: ServerResponse,
): boolean {
  const url = req.url as string;
  if (req.method !== 'POST' || !(url.startsWith('/checkout?') || url.startsWith('/purchase?'))) return false;
  const target = splitTarget(url);
  const context = contextOf(deps, req, target.path);
  const isCheckout = target.path === '/checkout';
  const onAnswered = isCheckout ? answered.checkout : answered.purchase;
  const finish = (answer: Answer) => {
    onAnswered('POST', context, answer);
    send(res, context, answer);
  };
  const answer = isCheckout
    ? deps.handlers.checkout(context, target.query)
    : deps.handlers.purchase(context, target.query, req.headers['idempotency-key'] !== undefined);
  answer.then(finish, (error: unknown) => {
    deps.onError(context, error);
    finish(problem(context, 'internal_error'));
  });
  return true;
}

function send(res: ServerResponse, context: RequestContext, answer: Answer): void {
  const headers = [
    'Content-Type',
    answer.type,
    'Content-Length',
    String(Buffer.byteLength(answer.body)),
    'X-Request-Id',
    context.requestId,
  ];
  if (answer.headers) for (const pair of Object.entries(answer.headers)) headers.push(...pair);
  res.writeHead(answer.status, headers);
  res.end(answer.body);
}

/** Answers what never became a request: node gives the socket, and it is closed behind the answer. */
function refuseUnreadable(
  deps: ServerDeps,
  onAnswered: Answered['other'],
  error: NodeJS.ErrnoException,
  socket: Socket,
): void {
  // What comes behind a request that is being answered must not be taken for its answer. node's own handler looks
  // at the same field.
  const underWay = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage;
  if (error.code === 'ECONNRESET' || !socket.writable || underWay) {
    socket.destroy();
    return;
  }
  const context = deps.contextOf('');
  const code =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'headers_too_large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'request_timeout'
        : 'malformed_request';
  const answer = problem(context, code);
  const { status, type, body } = answer;
  onAnswered(undefined, context, answer);
  socket.end(
    `HTTP/1.1 ${status} ${code}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `X-Request-Id: ${context.requestId}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/**
 * Stops listening, lets requests under way finish, and closes what is still open after `deadlineMs`.
 * http.Server's own close() would at once cut idle connections on which a request may be on its way.
 */
export async function closeGently(server: Server, deadlineMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  const farewell = setTimeout(() => server.closeIdleConnections(), FAREWELL_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await closed;
  clearTimeout(farewell);
  clearTimeout(deadline);
}

/** How soon a port that the worker before still holds is tried again. */
const PORT_RETRY_MS = 200;

/** Listens on a port of this worker alone, as soon as nobody else does. */
export function listenAlone(server: Server, port: number, host: string): Server {
  const listen = () => server.listen({ port, host, exclusive: true });
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    setTimeout(listen, PORT_RETRY_MS).unref();
  });
  listen();
  return server;
}
