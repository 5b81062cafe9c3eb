import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Answer } from './answer.ts';
import { respond } from './app.ts';
import { type Ask, type Asked, type AskedHeaders, NO_HEADERS, NO_PARAMS, NO_QUERY } from './asked.ts';
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
/** Longer than the idle time of common gateways (60 s), so that it is they who close. */
const KEEP_ALIVE_MS = 65_000;
/** How often the time-outs above are enforced; node's own 30 s would leave slow clients six times as long. */
const CHECK_MS = 1_000;
/** While draining, a client that keeps its connection hears `Connection: close` with its next answer; one that is silent for so long is let go. */
const FAREWELL_MS = 1_000;

export interface ServerDeps {
  readonly app: Hono;
  readonly routing: Routing;
  readonly ask: Ask;
  readonly handle: Handle;
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
 * The HTTP server of a worker. Connections begin in the lane, which serves all but all of the traffic; everything else goes
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
      req.method,
      pathOf(req),
      headersIn(req),
    );
  const viaHono = getRequestListener(deps.app.fetch, {
    // The host of a request of HTTP/1.0 that names none; nothing reads it.
    hostname: 'localhost',
    // What cannot become a Request at all, such as one with a broken Host.
    errorHandler: () =>
      new Promise((resolve) => {
        refused((asked, answer) => resolve(respond(answer, asked)), 'malformed_request');
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
  const serve = (req: IncomingMessage, res: ServerResponse) => {
    const { headers } = req;
    // The parser takes what follows a request with Upgrade for another protocol, and nobody reads it.
    if (deps.asksToClose() || headers.upgrade !== undefined) res.setHeader('Connection', 'close');
    const length = headers['content-length'];
    if ((length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined)
      lingerBriefly(req, res);
    const code = refusalOf(req) ?? (hasDotSegment(pathOf(req)) ? 'malformed_request' : undefined);
    if (code) refuse(req, res, code);
    else void viaHono(req, res);
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

// node joins repeated headers into one string, which is then no well-formed id.
const headersIn = ({ headers }: IncomingMessage): AskedHeaders => ({
  ...NO_HEADERS,
  requestId: headers['x-request-id'] as string | undefined,
  traceparent: headers.traceparent as string | undefined,
});

const pathOf = (req: IncomingMessage): string => (req.url ?? '').split('?', 1)[0] as string;

/** Has `handle` answer a request that comes to no route; as much of it as could be read. */
function createRefusing({ ask, handle }: Pick<ServerDeps, 'ask' | 'handle'>) {
  return (
    write: (asked: Asked, answer: Answer) => void,
    code: ProblemCode,
    method = OTHER,
    path = '',
    headers = NO_HEADERS,
  ): void => {
    const asked = ask({ route: refusal(code), method, path, params: NO_PARAMS, query: NO_QUERY, headers });
    whenAnswered(handle(asked), (answer) => write(asked, answer));
  };
}

/** Answers what never became a request: node gives the socket, and it is closed behind the answer. */
function refuseUnreadable(
  refused: ReturnType<typeof createRefusing>,
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
  refused(
    (asked, answer) =>
      socket.end(`${headText(answer, asked.requestId)}Connection: close\r\n\r\n${answer.body}`),
    UNREADABLE[error.code ?? ''] ?? 'malformed_request',
  );
}

const UNREADABLE: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

// http.Server's own close() would at once cut idle connections on which a request may be on its way.
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
