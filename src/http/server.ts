import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Answer } from './answer.ts';
import { respond } from './app.ts';
import {
  type Ask,
  type Asked,
  type AskedHeaders,
  NO_HEADERS,
  NO_PARAMS,
  NO_PEER,
  NO_QUERY,
  type Peer,
} from './asked.ts';
import { withoutBase } from './base-path.ts';
import { closeUnread, lingerBriefly } from './connections.ts';
import { type Handle, whenAnswered } from './handle.ts';
import { headersOf, headText } from './head.ts';
import { createLane, type Lane } from './lane.ts';
import { serveInTurn } from './pipelining.ts';
import type { ProblemCode } from './problem.ts';
import { refusal } from './refusal.ts';
import { OTHER } from './route.ts';
import type { Routing } from './routing.ts';
import { HEADERS_MAX, hasDotSegment, refusalOf } from './strictness.ts';

const HEADER_BYTES_MAX = 8 << 10;
const HEADER_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than the idle time of common gateways (60 s), so that the gateway closes first. */
const KEEP_ALIVE_MS = 65_000;
/** How often the time-outs above are checked; with node's default, 30 s, slow clients would stay six times as long. */
const CHECK_MS = 1_000;
/** While draining, each next answer carries `Connection: close`; connections that are idle for this long are closed. */
const FAREWELL_MS = 1_000;

export interface ServerDeps {
  readonly app: Hono;
  readonly routing: Routing;
  readonly ask: Ask;
  readonly handle: Handle;
  /** Called for each answer: whether to ask the client to close its connection. */
  readonly asksToClose: () => boolean;
  readonly connectionsMax: number;
  /** What is taken off the paths of requests. */
  readonly basePath?: string | undefined;
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
 * The HTTP server of a worker. Connections begin in the lane, which serves nearly all traffic; everything else goes
 * through node:http and the Hono app. Both have `handle` answer.
 */
export function createHttpServer(deps: ServerDeps): WorkerServer {
  const refused = createRefusing(deps);
  const refuse = (req: IncomingMessage, res: ServerResponse, code: ProblemCode) =>
    refused(
      (asked, answer) => {
        res.writeHead(answer.status, headersOf(answer, asked.requestId));
        res.end(answer.body);
      },
      code,
      req.socket,
      req.method,
      pathOf(req),
      headersIn(req),
    );
  const viaHono = getRequestListener(deps.app.fetch, {
    // The host of a request of HTTP/1.0 that names none; nothing reads it.
    hostname: 'localhost',
    // It would close the connection 0.5 s after an early answer; `lingerBriefly` does later.
    autoCleanupIncoming: false,
    // A request that cannot become a fetch Request, as with a broken Host.
    errorHandler: () =>
      new Promise((resolve) => {
        refused((asked, answer) => resolve(respond(answer, asked)), 'malformed_request', NO_PEER);
      }),
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
  const takeBaseOff = createTaking(deps.basePath);
  const serve = (req: IncomingMessage, res: ServerResponse) => {
    takeBaseOff(req);
    const { headers } = req;
    // The parser treats what follows an Upgrade as another protocol, and nothing reads it.
    if (deps.asksToClose() || headers.upgrade !== undefined) res.setHeader('Connection', 'close');
    const length = headers['content-length'];
    if ((length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined)
      lingerBriefly(req, res);
    const code = refusalOf(req) ?? (hasDotSegment(pathOf(req)) ? 'malformed_request' : undefined);
    if (code) refuse(req, res, code);
    else void viaHono(req, res);
  };
  server.maxConnections = deps.connectionsMax;
  // One more than allowed is enough to notice the excess.
  server.maxHeadersCount = HEADERS_MAX + 1;
  const open = closeUnread(server);
  // A client that waits for 100 Continue need not send a body that is refused.
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    takeBaseOff(req);
    if (refusalOf(req) === undefined) res.writeContinue();
    server.emit('request', req, res);
  });
  server.on('checkExpectation', (req, res) => refuse(req, res, 'expectation_failed'));
  server.on('clientError', (error, socket) => refuseUnreadable(refused, error, socket as Socket));

  const [toNode] = server.listeners('connection') as [(this: Server, socket: Socket) => void];
  const lane = createLane({
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

/** Takes the base path off a request, once: what is below it may begin like it. */
function createTaking(basePath: string | undefined): (req: IncomingMessage) => void {
  if (basePath === undefined) return () => {};
  const done = new WeakSet<IncomingMessage>();
  return (req) => {
    if (done.has(req)) return;
    done.add(req);
    req.url = withoutBase(req.url ?? '', basePath);
  };
}

// node joins repeated headers into one string, which is not a well-formed id.
const headersIn = ({ headers }: IncomingMessage): AskedHeaders => ({
  ...NO_HEADERS,
  requestId: headers['x-request-id'] as string | undefined,
  traceparent: headers.traceparent as string | undefined,
  origin: headers.origin,
  forwardedFor: headers['x-forwarded-for'] as string | undefined,
  forwarded: headers.forwarded,
});

const pathOf = (req: IncomingMessage): string => (req.url ?? '').split('?', 1)[0] as string;

/** Has `handle` answer a request that reaches no route, with as much of it as could be read. */
function createRefusing({ ask, handle }: Pick<ServerDeps, 'ask' | 'handle'>) {
  return (
    write: (asked: Asked, answer: Answer) => void,
    code: ProblemCode,
    peer: Peer,
    method = OTHER,
    path = '',
    headers = NO_HEADERS,
  ): void => {
    const asked = ask({
      route: refusal(code),
      method,
      path,
      params: NO_PARAMS,
      query: NO_QUERY,
      headers,
      peer,
    });
    whenAnswered(handle(asked), (answer) => write(asked, answer));
  };
}

/** Answers bytes that are no request, on the socket from node, and closes it after the answer. */
function refuseUnreadable(
  refused: ReturnType<typeof createRefusing>,
  error: NodeJS.ErrnoException,
  socket: Socket,
): void {
  // While another request is being answered, this answer would be mistaken for its answer. node's own handler
  // reads the same field.
  const underWay = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage;
  if (error.code === 'ECONNRESET' || !socket.writable || underWay) {
    socket.destroy();
    return;
  }
  refused(
    (asked, answer) =>
      socket.end(`${headText(answer, asked.requestId)}Connection: close\r\n\r\n${answer.body}`),
    UNREADABLE[error.code ?? ''] ?? 'malformed_request',
    // A proxy's headers could not be read either, so that nobody is counted.
    NO_PEER,
  );
}

const UNREADABLE: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

// http.Server's own close() would cut idle connections at once, while a request may be on its way.
async function closeGently(server: Server, lane: Lane, deadlineMs: number): Promise<void> {
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

/** How soon to retry a port that the previous worker still holds. */
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
