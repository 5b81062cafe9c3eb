import { connect, type Socket } from 'node:net';

/** Resolves when the connection is closed, by a reset as well. */
export const closing = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

export interface RawAnswer {
  readonly status: number;
  /** Status line and headers, without the empty line. */
  readonly head: string;
  readonly body: string;
}

export interface Conversation {
  readonly answers: readonly RawAnswer[];
  /** Bytes that are no HTTP answer; '' in a sound service. */
  readonly rest: string;
  /** False: the server neither closed the connection nor reset it while we waited. */
  readonly closed: boolean;
}

/** Opens a connection to the port of a base URL such as http://127.0.0.1:8080. */
export const openRaw = (url: string): Socket =>
  connect({ port: Number(new URL(url).port), host: new URL(url).hostname });

export interface Listening {
  /** Stop after this many answers, and report what follows within a moment. */
  readonly answers?: number;
  /** When nothing has arrived for this long, close our side; node treats that as a client that has left. */
  readonly quietMs?: number;
  readonly waitMs?: number;
}

/** How long an answer too many is waited for. */
const MOMENT_MS = 20;

/** Sends bytes over a connection of its own and reads until it is closed, or there are answers enough. */
export function converse(
  url: string,
  bytes: string | Buffer,
  { answers = 0, quietMs, waitMs = 15_000 }: Listening = {},
): Promise<Conversation> {
  return new Promise((resolve) => {
    const socket = openRaw(url);
    let text = '';
    const finish = (closed: boolean) => {
      clearTimeout(timer);
      clearTimeout(quiet);
      socket.destroy();
      resolve({ ...splitAnswers(text), closed });
    };
    const timer = setTimeout(finish, waitMs, false);
    const quiet = quietMs === undefined ? undefined : setTimeout(() => socket.end(), quietMs);
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
      quiet?.refresh();
      if (answers > 0 && splitAnswers(text).answers.length === answers) setTimeout(finish, MOMENT_MS, false);
    });
    // A reset is a close as well.
    socket.on('error', () => {});
    socket.on('close', () => finish(true));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

/** Takes apart what came back on a connection. */
export function splitAnswers(text: string): Pick<Conversation, 'answers' | 'rest'> {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(rest)?.[1];
    if (end < 0 || status === undefined) return { answers, rest };
    const head = rest.slice(0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const from = end + 4;
    if (rest.length < from + length) return { answers, rest };
    answers.push({ status: Number(status), head, body: rest.slice(from, from + length) });
    rest = rest.slice(from + length);
  }
}
