/**
 * A lean HTTP/1.1 client: one keep-alive connection, one request at a time. It shares the box with the server it
 * measures, so it reads the status, four headers and the body, and nothing else. Requests per CPU-second against a bare
 * node:http server, 64 connections, Node 20.20: this 146,000–150,000, node:http's Agent 30,000, fetch (undici) 6,600.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Reply {
  readonly status: number;
  /** Seconds of Retry-After; 0 without. */
  readonly retryAfterS: number;
  /** The body's bytes as latin1 text: ids, codes and figures are ASCII, and only names would need decoding. */
  readonly body: string;
}

/** The connection broke, or stayed silent for too long; the request may have been served. */
export class Lost extends Error {
  override name = 'Lost';
  readonly wasSilent: boolean;

  constructor(reason: string, wasSilent: boolean) {
    super(reason);
    this.wasSilent = wasSilent;
  }
}

export interface Connection {
  /** Connects without a request; resolves when the server's kernel has taken the connection. Throws Lost. */
  connect(): Promise<void>;
  /** Sends a request without a body and waits for its answer. Connects first when there is no connection. `headers`: lines, each with its end. */
  request(method: 'GET' | 'POST', target: string, headers?: string): Promise<Reply>;
  /** Sends a request with a JSON body. */
  post(target: string, body: string, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  close(): void;
}

/** A request without an answer for this long is lost. The service's own deadlines are below 2 s. */
const SILENCE_MS = 10_000;
const CHECK_MS = 500;

// One read buffer for all sockets: libuv fills it, and it is emptied before the next socket is read.
const readBuffer = Buffer.allocUnsafeSlow(64 << 10);

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly sinceMs: number;
}

/** Opens a connection to a base URL such as http://127.0.0.1:8080, lazily. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: short inner functions share its state.
export function openConnection(base: string, silenceMs = SILENCE_MS): Connection {
  const { hostname, port, host } = new URL(base);
  const tail = ` HTTP/1.1\r\nHost: ${host}\r\n`;
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
  let socket: Socket | undefined;
  let pending: Pending | undefined;
  let received = '';
  let closed = false;

  const lose = (from: Socket | undefined, reason: string, wasSilent = false) => {
    if (from !== socket) return;
    socket?.destroy();
    socket = undefined;
    received = '';
    const lost = pending;
    pending = undefined;
    lost?.reject(new Lost(reason, wasSilent));
  };

  const receive = (from: Socket, text: string) => {
    if (from !== socket || pending === undefined) return lose(from, 'an answer to no request');
    received = received === '' ? text : received + text;
    const reply = readReply(received);
    if (reply === undefined) return;
    received = '';
    const answered = pending;
    pending = undefined;
    if (reply.closes) lose(from, 'closed');
    answered.resolve(reply);
  };

  const open = (): Socket => {
    const onread = {
      buffer: readBuffer,
      callback: (length: number) => {
        receive(opened, readBuffer.toString('latin1', 0, length));
        return true;
      },
    };
    const opened = connect({ ...address, noDelay: true, onread });
    opened.on('error', (error) => lose(opened, error.message));
    opened.on('close', () => lose(opened, 'the connection was closed'));
    opened.on('end', () => lose(opened, 'the connection was closed'));
    return opened;
  };

  // One coarse timer per connection, rather than one per request.
  const check = setInterval(() => {
    if (pending && performance.now() - pending.sinceMs > silenceMs)
      lose(socket, `no answer within ${silenceMs} ms`, true);
  }, CHECK_MS).unref();

  const send = (text: string, encoding: 'latin1' | 'utf8') =>
    new Promise<Reply>((resolve, reject) => {
      if (closed || pending) return reject(new Error(closed ? 'closed' : 'one request at a time'));
      socket ??= open();
      pending = { resolve, reject, sinceMs: performance.now() };
      socket.write(text, encoding);
    });

  return {
    async connect() {
      if (socket) return;
      socket = open();
      await once(socket, 'connect').catch((error: Error) => {
        throw new Lost(error.message, false);
      });
    },
    request: (method, target, headers = '') =>
      send(
        method === 'GET'
          ? `GET ${target}${tail}${headers}\r\n`
          : `POST ${target}${tail}Content-Length: 0\r\n${headers}\r\n`,
        'latin1',
      ),
    post(target, body, headers = {}) {
      const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const length = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
      return send(`POST ${target}${tail}${length}${own.join('')}\r\n${body}`, 'utf8');
    },
    close() {
      closed = true;
      clearInterval(check);
      lose(socket, 'closed by us');
    },
  };
}

/** Reads one whole answer; undefined while a part of it is missing. */
export function readReply(text: string): (Reply & { closes: boolean }) | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd + 2);
  const length = headerOf(head, CONTENT_LENGTH);
  const rest = headEnd + 4;
  let body: string | undefined;
  if (length !== undefined)
    body = text.length >= rest + Number(length) ? text.slice(rest, rest + Number(length)) : undefined;
  else if (CHUNKED.test(head)) body = readChunks(text, rest);
  else body = '';
  if (body === undefined) return undefined;
  const status = Number(text.slice(9, 12));
  // Only refusals carry it: accepted answers need not be searched for it.
  const retryAfterS = status >= 400 ? Number(headerOf(head, RETRY_AFTER) ?? 0) : 0;
  return { status, retryAfterS, body, closes: CLOSE.test(head) };
}

const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;
const RETRY_AFTER = /\r\nretry-after: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;
const CLOSE = /\r\nconnection: *close/i;

const headerOf = (head: string, name: RegExp) => name.exec(head)?.[1];

/** The body of a chunked answer without trailers' values; undefined while it is not whole. */
function readChunks(text: string, from: number): string | undefined {
  let body = '';
  for (let at = from; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) return text.indexOf('\r\n\r\n', lineEnd) < 0 ? undefined : body;
    const next = lineEnd + 2 + size + 2;
    if (text.length < next) return undefined;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
  }
}
