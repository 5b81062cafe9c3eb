import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { closing, openRaw } from './raw.ts';

export interface SlowOptions {
  readonly url: string;
  readonly clients: number;
  readonly saleId: string;
  readonly token: string;
  /** Only those that must be closed soonest. */
  readonly brief?: boolean;
}

/** A way to be slow, and when the service must have closed the connection. */
interface Slowness {
  /** Its share of the clients. */
  readonly share: number;
  readonly closedWithinMs: number;
  /** Runs until the connection is closed. */
  act(socket: Socket, options: SlowOptions): Promise<void> | void;
}

/** Time-outs of 5 and 10 s, looked for each second, and as much again for a machine that is busy. */
const HEADERS_MS = 9_500;
const BODY_MS = 12_500;
const DRIP_MS = 300;
/** As many as a connection may have waiting: 128 pages of 1,000 items are more than a kernel takes. */
const UNREAD_PAGES = 120;

const drip = async (socket: Socket, text: string) => {
  for (let i = 0; !socket.destroyed && socket.writable; i++) {
    socket.write(text[i % text.length] as string);
    await sleep(DRIP_MS);
  }
};

const admin = (token: string) =>
  `POST /admin/sales HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;

const SLOW: Record<string, Slowness> = {
  'says nothing': { share: 0.2, closedWithinMs: HEADERS_MS, act: () => {} },
  'a request line byte by byte': {
    share: 0.2,
    closedWithinMs: HEADERS_MS,
    act: (socket) => drip(socket, `GET /${'a'.repeat(4_000)}`),
  },
  'headers byte by byte': {
    share: 0.2,
    closedWithinMs: HEADERS_MS,
    act: (socket) => {
      socket.write('POST /checkout?user_id=slow&id=x HTTP/1.1\r\nHost: a\r\n');
      return drip(socket, 'X-A: b\r\n');
    },
  },
  'a body byte by byte': {
    share: 0.2,
    closedWithinMs: BODY_MS,
    act: (socket, { token }) => {
      socket.write(`${admin(token)}Content-Length: 10000\r\n\r\n`);
      return drip(socket, ' ');
    },
  },
  'chunks byte by byte': {
    share: 0.18,
    closedWithinMs: BODY_MS,
    act: (socket, { token }) => {
      socket.write(`${admin(token)}Transfer-Encoding: chunked\r\n\r\n`);
      return drip(socket, '1\r\n \r\n');
    },
  },
  'does not read': {
    share: 0.02,
    // Filling the kernel's buffers takes its time as well.
    closedWithinMs: BODY_MS + 18_000,
    act: (socket, { saleId }) => {
      socket.pause();
      socket.write(`GET /sales/${saleId}/items?limit=1000 HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(UNREAD_PAGES));
    },
  },
};

export interface SlowResult {
  readonly kind: string;
  readonly clients: number;
  /** The last one was closed after this time; undefined when one was not in time. */
  readonly lastMs: number | undefined;
}

/** Lets slow clients in, all at once, and waits until each is closed or has had its time. */
export async function sendSlow(options: SlowOptions): Promise<SlowResult[]> {
  const kinds = Object.entries(SLOW).filter(
    ([, { closedWithinMs }]) => !options.brief || closedWithinMs <= HEADERS_MS,
  );
  return Promise.all(
    kinds.map(async ([kind, slowness]) => {
      const clients = Math.max(1, Math.round(options.clients * slowness.share));
      const ends = await Promise.all(Array.from({ length: clients }, () => beSlow(slowness, options)));
      const inTime = ends.every((ms) => ms !== undefined);
      return { kind, clients, lastMs: inTime ? Math.max(...(ends as number[])) : undefined };
    }),
  );
}

/** Resolves with the time until the service closed the connection. */
async function beSlow(slowness: Slowness, options: SlowOptions): Promise<number | undefined> {
  const socket = openRaw(options.url);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const beganMs = performance.now();
  const closed = closing(socket).then(() => performance.now() - beganMs);
  void slowness.act(socket, options);
  if (socket.isPaused()) {
    // A client learns of the close only by reading, after all that the kernel holds.
    await sleep(slowness.closedWithinMs);
    socket.resume();
    const end = await Promise.race([closed, sleep(3_000, undefined)]);
    socket.destroy();
    return end;
  }
  socket.resume();
  const end = await Promise.race([closed, sleep(slowness.closedWithinMs, undefined)]);
  socket.destroy();
  return end;
}
