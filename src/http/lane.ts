import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Hono } from 'hono';
import type { Answer, RequestContext } from './answer.ts';
import type { Handlers } from './app.ts';
import type { ContextOf } from './context.ts';
import { parseQuery } from './input.ts';
import type { Observer } from './observer.ts';
import { type HotPath, type PlainHeaders, readPlainHeaders, readPlainLine } from './plain-request.ts';
import { problem } from './problem.ts';

export interface ExpressLaneDeps {
  readonly app: Pick<Hono, 'fetch'>;
  readonly handlers: Pick<Handlers, 'checkout' | 'purchase'>;
  readonly contextOf: ContextOf;
  /** Hears of every answer. */
  readonly observer: Observer;
  readonly onError: (context: RequestContext, error: unknown) => void;
  /** Gives a connection to node:http, for good; what it has received is in the socket. */
  readonly handOver: (socket: Socket) => void;
  /** Asked with each answer: shall the client be asked to close its connection? */
  readonly asksToClose: () => boolean;
  /** An idle connection is closed after this time, in ms. */
  readonly keepAliveMs: number;
  /** One on which nothing has come yet is closed after this time, in ms. */
  readonly silentMs: number;
}

/**
 * Serves plain requests (see `plain-request.ts`) straight on their sockets: what node:http spends on a request, its
 * objects and events, is twice what all the rest of a refusal costs (docs/performance.md). A plain GET is the Hono app's;
 * its connection stays here, since a gateway sends both over the same ones. A connection begins here and leaves for
 * node:http, with every byte it has sent, at the first thing that is not a plain request.
 */
export interface ExpressLane {
  /** Takes a new connection. */
  take(socket: Socket): void;
  /** Closes connections without a request under way; `all`: every one. */
  close(all: boolean): void;
}

interface Connection {
  readonly socket: Socket;
  /** A request is being served. */
  busy: boolean;
  /** More has come meanwhile: that is pipelining, and node:http knows how. */
  hasMore: boolean;
  hasServed: boolean;
  idleS: number;
  /** The headers of the last request: those of the next one are the same, as a rule, and need not be read again. */
  headText: string;
  head: PlainHeaders | undefined;
}

/** Longer texts are no plain requests; node:http has its own limit. */
const BYTES_MAX = 4 << 10;
const TICK_MS = 1_000;

export function createExpressLane(deps: ExpressLaneDeps): ExpressLane {
  const connections = new Map<Socket, Connection>();
  const keepAliveS = deps.keepAliveMs / 1_000;
  const silentS = deps.silentMs / 1_000;
  const keptAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveS}\r\n\r\n`;

  function onData(this: Socket, chunk: Buffer): void {
    // The last answer is said: what the client sent before it heard so is not served, and it will send it again.
    if (this.writableEnded) return;
    const connection = connections.get(this) as Connection;
    if (connection.busy) {
      connection.hasMore = true;
      this.pause();
      this.unshift(chunk);
      return;
    }
    const text = chunk.length <= BYTES_MAX ? chunk.toString('latin1') : '';
    const line = readPlainLine(text);
    const head = line && headOf(connection, text.slice(line.length));
    if (head) {
      connection.busy = true;
      if (line.method === 'POST') serve(connection, line.path, line.query, head);
      else forward(connection, line.target, head);
      return;
    }
    this.pause();
    this.unshift(chunk);
    leave(connection);
  }

  function onEnd(this: Socket): void {
    const connection = connections.get(this) as Connection;
    // Who closes behind a request still hears its answer.
    if (connection.busy) connection.head = { ...(connection.head as PlainHeaders), closes: true };
    else this.end();
  }

  function onClose(this: Socket): void {
    connections.delete(this);
  }

  /** Gives the connection to node:http. */
  const leave = ({ socket }: Connection) => {
    connections.delete(socket);
    socket.off('data', onData).off('end', onEnd).off('close', onClose);
    deps.handOver(socket);
    socket.off('error', onError);
    socket.resume();
  };

  const onAnswered = {
    '/checkout': deps.observer.route('/checkout'),
    '/purchase': deps.observer.route('/purchase'),
  };

  const serve = (connection: Connection, path: HotPath, query: string, head: PlainHeaders) => {
    const context = deps.contextOf(path, head.requestId, head.traceparent);
    const parsed = parseQuery(query);
    const answer =
      path === '/checkout'
        ? deps.handlers.checkout(context, parsed)
        : deps.handlers.purchase(context, parsed, head.replay);
    const finish = (given: Answer) => {
      onAnswered[path]('POST', context, given);
      reply(connection, context.requestId, given);
    };
    answer.then(finish, (error: unknown) => {
      deps.onError(context, error);
      finish(problem(context, 'internal_error'));
    });
  };

  const forward = (connection: Connection, target: string, head: PlainHeaders) => {
    const answered = async () => {
      const response = await deps.app.fetch(requestOf(target, head));
      const {
        'x-request-id': requestId = '',
        'content-type': type = '',
        ...headers
      } = Object.fromEntries(response.headers);
      reply(connection, requestId, { status: response.status, type, body: await response.text(), headers });
    };
    // The app answers what its handlers throw; there is nothing left to say to this client.
    answered().catch(() => connection.socket.destroy());
  };

  const reply = (connection: Connection, requestId: string, answer: Answer) => {
    const { socket } = connection;
    connection.busy = false;
    connection.hasServed = true;
    connection.idleS = 0;
    if (socket.destroyed) return;
    const closes = deps.asksToClose() || connection.head?.closes === true;
    const bytes = Buffer.byteLength(answer.body);
    const text = headTextOf(answer, bytes, requestId) + (closes ? CLOSES : keptAlive) + answer.body;
    // Only names of items are ever more than ASCII.
    const encoding = bytes === answer.body.length ? 'latin1' : 'utf8';
    if (closes) socket.end(text, encoding).resume();
    // A client that does not read its answers is not listened to until it does.
    else if (!socket.write(text, encoding)) socket.pause().once('drain', () => socket.resume());
    if (connection.hasMore && !closes) leave(connection);
  };

  const tick = () => {
    for (const connection of connections.values()) {
      if (connection.busy) continue;
      connection.idleS++;
      const limitS = connection.hasServed ? keepAliveS : silentS;
      if (connection.idleS > limitS) connection.socket.destroy();
    }
  };
  setInterval(tick, TICK_MS).unref();

  return {
    take(socket) {
      const fresh = {
        busy: false,
        hasMore: false,
        hasServed: false,
        idleS: 0,
        headText: '',
        head: undefined,
      };
      connections.set(socket, { socket, ...fresh });
      socket.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError);
    },
    close(all) {
      for (const { socket, busy } of connections.values()) if (all || !busy) socket.destroy();
    },
  };
}

// 'close' follows.
const onError = () => {};

function headOf(connection: Connection, text: string): PlainHeaders | undefined {
  if (text !== connection.headText) {
    connection.head = readPlainHeaders(text);
    connection.headText = text;
  }
  return connection.head;
}

/** A GET as the app knows it: of its headers, those that it reads. */
function requestOf(target: string, { requestId, traceparent, ifNoneMatch }: PlainHeaders): Request {
  const headers = new Headers();
  if (requestId !== undefined) headers.set('X-Request-Id', requestId);
  if (traceparent !== undefined) headers.set('Traceparent', traceparent);
  if (ifNoneMatch !== undefined) headers.set('If-None-Match', ifNoneMatch);
  // The app has no use for the name of its host.
  return new Request(`http://flashsale${target}`, { headers });
}

const CLOSES = 'Connection: close\r\n\r\n';
let date = '';
let dateAtMs = 0;

/** The head of an answer, but for its last lines. */
function headTextOf({ status, type, headers }: Answer, bytes: number, requestId: string): string {
  const nowMs = Date.now();
  if (nowMs - dateAtMs >= 1_000) {
    dateAtMs = nowMs - (nowMs % 1_000);
    date = new Date(dateAtMs).toUTCString();
  }
  let more = '';
  if (headers) for (const [name, value] of Object.entries(headers)) more += `${name}: ${value}\r\n`;
  // What a 304 would have, is said by its tag.
  const what = status === 304 ? '' : `Content-Type: ${type}\r\nContent-Length: ${bytes}\r\n`;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${what}X-Request-Id: ${requestId}\r\n${more}Date: ${date}\r\n`;
}
