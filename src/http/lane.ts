import type { Socket } from 'node:net';
import type { Answer } from './answer.ts';
import { type Ask, type Asked, NO_QUERY } from './asked.ts';
import { requestWithoutBase } from './base-path.ts';
import { type Handle, whenAnswered } from './handle.ts';
import { headText } from './head.ts';
import { parseQuery } from './input.ts';
import { type PlainHeaders, type PlainLine, readPlainHeaders, readPlainLine } from './plain-request.ts';
import type { Routing } from './routing.ts';

export interface LaneDeps {
  readonly routing: Routing;
  readonly ask: Ask;
  readonly handle: Handle;
  /** Gives a connection to node:http for good; unread bytes are in the socket. */
  readonly handOver: (socket: Socket) => void;
  /** Called for each answer: whether to ask the client to close its connection. */
  readonly asksToClose: () => boolean;
  /** An idle connection is closed after this time, in ms. */
  readonly keepAliveMs: number;
  /** What is taken off the paths of requests. */
  readonly basePath?: string | undefined;
  /** A connection without a first request is closed after this time, in ms. */
  readonly silentMs: number;
}

/**
 * Serves plain requests (see `plain-request.ts`) straight on their sockets: what node:http spends on a request, its
 * objects and events, is twice what all the rest of a refusal costs (docs/performance.md). A connection begins here and
 * leaves for node:http, with every byte it has sent, at the first thing that is not a plain request.
 */
export interface Lane {
  /** Takes a new connection. */
  take(socket: Socket): void;
  /** Closes connections without a request or an unfetched answer; `all`: every connection. */
  close(all: boolean): void;
}

interface Connection {
  readonly socket: Socket;
  /** A request is being served. */
  busy: boolean;
  /** More bytes have arrived meanwhile: pipelining, which node:http handles. */
  hasMore: boolean;
  hasServed: boolean;
  idleS: number;
  /** The headers of the last request. The next ones are usually equal, and need not be parsed again. */
  headersText: string;
  headers: PlainHeaders | undefined;
}

/** A longer text is not a plain request; node:http has its own limit. */
const BYTES_MAX = 4 << 10;
const TICK_MS = 1_000;
const CLOSES = 'Connection: close\r\n\r\n';

export function createLane(deps: LaneDeps): Lane {
  const { basePath } = deps;
  const connections = new Map<Socket, Connection>();
  const keptAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${deps.keepAliveMs / 1_000}\r\n\r\n`;

  function onData(this: Socket, chunk: Buffer): void {
    // The last answer is written. What the client sent meanwhile is not served; the client will send it again.
    if (this.writableEnded) return;
    const connection = connections.get(this) as Connection;
    if (connection.busy) {
      connection.hasMore = true;
      this.pause();
      this.unshift(chunk);
      return;
    }
    const given = chunk.length <= BYTES_MAX ? chunk.toString('latin1') : '';
    const text = basePath === undefined ? given : requestWithoutBase(given, basePath);
    const line = readPlainLine(text);
    const headers = line && headersOf(connection, text.slice(line.length));
    if (headers) {
      connection.busy = true;
      serve(connection, line, headers);
      return;
    }
    this.pause();
    this.unshift(chunk);
    leave(connection);
  }

  function onEnd(this: Socket): void {
    const connection = connections.get(this) as Connection;
    // A client that closes its side after a request still gets its answer.
    if (connection.busy) connection.headers = { ...(connection.headers as PlainHeaders), closes: true };
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

  const serve = (connection: Connection, line: PlainLine, headers: PlainHeaders) => {
    const { method, path } = line;
    const { route, params } = deps.routing.find(method, path);
    const query = line.query === '' ? NO_QUERY : parseQuery(line.query);
    const asked = deps.ask({ route, method, path, params, query, headers, peer: connection.socket });
    whenAnswered(deps.handle(asked), (answer) => reply(connection, asked, answer));
  };

  const reply = (connection: Connection, asked: Asked, answer: Answer) => {
    connection.busy = false;
    connection.hasServed = true;
    connection.idleS = 0;
    if (connection.socket.destroyed) return;
    const closes = deps.asksToClose() || connection.headers?.closes === true;
    const head = headText(answer, asked.requestId) + (closes ? CLOSES : keptAlive);
    write(connection.socket, head, answer, closes);
    if (connection.hasMore && !closes) leave(connection);
  };

  setInterval(closeIdle, TICK_MS, connections, deps).unref();

  return {
    take(socket) {
      connections.set(socket, newConnection(socket));
      socket.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError);
    },
    close(all) {
      for (const { socket, busy } of connections.values()) {
        // An answer that its client is still fetching is under way too.
        if (all || (!busy && socket.writableLength === 0)) socket.destroy();
      }
    },
  };
}

// 'close' follows.
const onError = () => {};

const newConnection = (socket: Socket): Connection => ({
  socket,
  busy: false,
  hasMore: false,
  hasServed: false,
  idleS: 0,
  headersText: '',
  headers: undefined,
});

/** Called once per second. */
function closeIdle(
  connections: ReadonlyMap<Socket, Connection>,
  { keepAliveMs, silentMs }: Pick<LaneDeps, 'keepAliveMs' | 'silentMs'>,
): void {
  for (const connection of connections.values()) {
    if (connection.busy) continue;
    connection.idleS++;
    const limitMs = connection.hasServed ? keepAliveMs : silentMs;
    if (connection.idleS * TICK_MS > limitMs) connection.socket.destroy();
  }
}

function write(socket: Socket, head: string, { body, bytes }: Answer, closes: boolean): void {
  if (bytes) {
    const whole = Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
    if (closes) socket.end(whole).resume();
    else if (!socket.write(whole)) socket.pause().once('drain', () => socket.resume());
    return;
  }
  // Only item names contain anything but ASCII.
  const encoding = Buffer.byteLength(body) === body.length ? 'latin1' : 'utf8';
  if (closes) socket.end(head + body, encoding).resume();
  // Read nothing from a client until it has fetched its answer.
  else if (!socket.write(head + body, encoding)) socket.pause().once('drain', () => socket.resume());
}

function headersOf(connection: Connection, text: string): PlainHeaders | undefined {
  if (text !== connection.headersText) {
    connection.headers = readPlainHeaders(text);
    connection.headersText = text;
  }
  return connection.headers;
}
