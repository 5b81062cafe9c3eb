import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Answer, RequestContext } from './answer.ts';
import { type Handlers, respond } from './app.ts';
import { closeUnread, lingerBriefly } from './connections.ts';
import type { ContextOf } from './context.ts';
import { createExpressLane, type ExpressLane } from './lane.ts';
import { type Observer, OTHER } from './observer.ts';
import { serveInTurn } from './pipelining.ts';
import { type ProblemCode, problem } from './problem.ts';
import { HEADERS_MAX, hasDotSegment, refusalOf } from './strictness.ts';

const HEADER_BYTES_MAX = 8 << 10;
const HEADER_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than the idle time of common gateways (60 s), so that it is they who close. */
const KEEP_ALIVE_MS = 65_000;
/** How often the time-outs above are enforced; node's own 30 s would leave slow clients six times as long. */
const CHECK_MS = 1_000;
/** While draining, a client that keeps its connection hears `Connection: close` with its next answer; one that is silent for so long is let go. */
const FAREWELL_MS = 1_000;

export interface ServerDeps {
  readonly app: Hono;
  readonly handlers: Pick<Handlers, 'checkout' | 'purchase'>;
  readonly contextOf: ContextOf;
  /** Hears of every answer. */
  readonly observer: Observer;
  readonly onError: (context: RequestContext, error: unknown) => void;
  /** Asked with each answer: shall the client be asked to close its connection? */
  readonly asksToClose: () => boolean;
  readonly connectionsMax: number;
}

/** The HTTP server of a worker, and how to close it. */
export interface WorkerServer {
  readonly server: Server;
  /** Connections that are open. */
  readonly connections: number;
  /** Stops listening, lets requests under way finish, and closes what is still open after `deadlineMs`. */
  closeGently(deadlineMs: number): Promise<void>;
}

/**
 * The HTTP server of a worker. Connections begin in the express lane, which serves POST /checkout and POST /purchase,
 * all but all of the traffic; everything else goes through node:http and the Hono app, which knows these two as well.
 */
export function createHttpServer(deps: ServerDeps): WorkerServer {
  const onAnswered = deps.observer.route(OTHER);
  const refuse = (req: IncomingMessage, res: ServerResponse, code: ProblemCode) => {
    const context = contextOf(deps, req, pathOf(req));
    const answer = problem(context, code);
    onAnswered(req.method, context, answer);
    send(res, context, answer);
  };
  const viaHono = getRequestListener(deps.app.fetch, {
    // What cannot become a Request at all, such as one with a broken Host.
    errorHandler: () => {
      const context = deps.contextOf('');
      const answer = problem(context, 'malformed_request');
      onAnswered(undefined, context, answer);
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
    (req, res) => serveInTurn(req, res, serve),
  );
  const serve = (req: IncomingMessage, res: ServerResponse) => {
    const { headers } = req;
    // The parser takes what follows a request with Upgrade for another protocol, and nobody reads it.
    if (deps.asksToClose() || headers.upgrade !== undefined) res.setHeader('Connection', 'close');
    const length = headers['content-length'];
    if ((length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined)
      lingerBriefly(req, res);
    const refusal = refusalOf(req);
    if (refusal) return refuse(req, res, refusal);
    if (hasDotSegment(pathOf(req))) return refuse(req, res, 'malformed_request');
    void viaHono(req, res);
  };
  server.maxConnections = deps.connectionsMax;
  // Those past it are not kept: one more is enough to know.
  server.maxHeadersCount = HEADERS_MAX + 1;
  const open = closeUnread(server);
  // Who waits for our word before it sends a body need not send one that is refused.
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    if (refusalOf(req) === undefined) res.writeContinue();
    server.emit('request', req, res);
  });
  server.on('checkExpectation', (req, res) => refuse(req, res, 'expectation_failed'));
  server.on('clientError', (error, socket) => refuseUnreadable(deps, onAnswered, error, socket as Socket));

  const [toNode] = server.listeners('connection') as [(this: Server, socket: Socket) => void];
  const lane = createExpressLane({
    ...deps,
    handOver: (socket) => toNode.call(server, socket),
    keepAliveMs: KEEP_ALIVE_MS,
    silentMs: HEADER_TIMEOUT_MS,
  });
  server.off('connection', toNode).on('connection', lane.take);
  return {
    server,
    get connections() {
      return open.size;
    },
    closeGently: (deadlineMs) => closeGently(server, lane, deadlineMs),
  };
}

// node joins repeated headers into one string, which is then no well-formed id.
const contextOf = (deps: ServerDeps, req: IncomingMessage, path: string): RequestContext =>
  deps.contextOf(
    path,
    req.headers['x-request-id'] as string | undefined,
    req.headers.traceparent as string | undefined,
  );

const pathOf = (req: IncomingMessage): string => (req.url ?? '').split('?', 1)[0] as string;

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
  onAnswered: ReturnType<Observer['route']>,
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

// http.Server's own close() would at once cut idle connections on which a request may be on its way.
async function closeGently(server: Server, lane: ExpressLane, deadlineMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  const close = (all: boolean) => {
    lane.close(all);
    if (all) server.closeAllConnections();
    else server.closeIdleConnections();
  };
  const farewell = setTimeout(close, FAREWELL_MS, false);
  const deadline = setTimeout(close, deadlineMs, true);
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
    if (error.code === 'EADDRINUSE') setTimeout(listen, PORT_RETRY_MS).unref();
    else if (!server.listening) throw error;
  });
  listen();
  return server;
}
