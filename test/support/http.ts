import * as http from 'node:http';
import * as https from 'node:https';
import { connect } from 'node:net';

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The parsed JSON; undefined when the body is none. */
  // biome-ignore lint/suspicious/noExplicitAny: many shapes, and each test asserts the one it expects
  readonly body: any;
}

export interface Sent {
  readonly headers?: http.OutgoingHttpHeaders;
  /** A string as it is; anything else as JSON. */
  readonly body?: unknown;
}

export interface Http {
  send(method: string, path: string, sent?: Sent): Promise<Reply>;
  get(path: string, headers?: http.OutgoingHttpHeaders): Promise<Reply>;
  post(path: string, sent?: Sent): Promise<Reply>;
  close(): void;
}

/** No answer of the service may take this long: past it the client gives up and the test fails. */
const HANG_MS = 15_000;

/** A client with connections of its own, kept alive, as many as there are requests at a time; any certificate will do. */
export function openHttp(base: string): Http {
  const { hostname, port, protocol } = new URL(base);
  const pool = { keepAlive: true, maxFreeSockets: 1_000 };
  const { agent, request } =
    protocol === 'https:'
      ? { agent: new https.Agent({ ...pool, rejectUnauthorized: false }), request: https.request }
      : { agent: new http.Agent(pool), request: http.request };

  const send: Http['send'] = (method, path, { headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const bytes = body === undefined || typeof body === 'string' ? (body as string) : JSON.stringify(body);
      const type =
        bytes === undefined || typeof body === 'string' ? {} : { 'Content-Type': 'application/json' };
      const length =
        bytes === undefined || 'Transfer-Encoding' in headers
          ? {}
          : { 'Content-Length': Buffer.byteLength(bytes) };
      const options = { agent, hostname, port, method, path, headers: { ...type, ...length, ...headers } };
      const sending = request(options, (res) => {
        let text = '';
        res.setEncoding('utf8');
        res.on('data', (chunk) => {
          text += chunk;
        });
        res.on('error', reject);
        res.on('end', () =>
          resolve({ status: res.statusCode as number, headers: res.headers, text, body: parsed(text) }),
        );
      });
      sending.setTimeout(HANG_MS, () => sending.destroy(new Error(`${method} ${path} hangs`)));
      sending.on('error', reject);
      sending.end(bytes);
    });

  return {
    send,
    get: (path, headers) => send('GET', path, headers && { headers }),
    post: (path, sent) => send('POST', path, sent),
    close: () => agent.destroy(),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Sends bytes over a socket of its own and returns what comes back until the server closes it. */
export function sendRaw(base: string, bytes: string): Promise<Reply> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let reply = '';
    socket.setEncoding('utf8');
    socket.setTimeout(HANG_MS, () => socket.destroy(new Error('the server neither answers nor closes')));
    socket.on('data', (chunk) => {
      reply += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => {
      socket.end();
      resolve(parseReply(reply));
    });
  });
}

function parseReply(reply: string): Reply {
  const [head = '', ...rest] = reply.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const pairs = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
  });
  const text = rest.join('\r\n\r\n');
  return { status: Number(line.split(' ')[1]), headers: Object.fromEntries(pairs), text, body: parsed(text) };
}
