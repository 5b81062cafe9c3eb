/**
 * An open loop: customers come by the clock, however slow the service is, and a latency counts from when the request
 * was due. A closed loop, which waits for its answers, hides every pause of the service.
 */
import { type Connection, openConnection } from './client.ts';
import type { Recorder } from './record.ts';
import { buy, checkOut, type Session } from './session.ts';

export interface OpenLoopOptions {
  readonly url: string;
  readonly saleId: string;
  /** One for each customer. */
  readonly items: readonly string[];
  readonly prefix: string;
  /** Customers per second; each is one checkout, and a purchase some time after. */
  readonly perSecond: number;
  /** Refused requests are not retried. */
  readonly once?: boolean;
  /** Connections, all made before the first customer comes. When all are busy customers wait, and the wait counts. */
  readonly connections: number;
}

/** From a customer's checkout to the purchase. */
const DECIDE_MS = 100;
const AT_A_TIME = 50;
const GRACE_MS = 10_000;
const TICK_MS = 1;

/** Sends a customer for every item; resolves when all have their answers. */
export async function runOpenLoop(options: OpenLoopOptions, record: Recorder): Promise<void> {
  const connections = await openPool(options.url, options.connections);
  const startMs = performance.now();
  const giveUpAtMs = options.once
    ? 0
    : startMs + (options.items.length / options.perSecond) * 1_000 + GRACE_MS;
  const withConnection = async <T>(dueAtMs: number, work: (session: Session) => Promise<T>): Promise<T> => {
    const connection = await connections.take();
    const result = await work({ connection, record, saleId: options.saleId, giveUpAtMs, dueAtMs });
    connections.give(connection);
    return result;
  };
  const serve = async (n: number, dueAtMs: number) => {
    const user = `${options.prefix}${n}`;
    const outcome = await withConnection(dueAtMs, (session) =>
      checkOut(session, user, options.items[n] as string),
    );
    if (!('code' in outcome)) return;
    const { code } = outcome;
    // Already late: the purchase is due at once, so that the checkout's delay does not count twice.
    const buyAtMs = Math.max(dueAtMs + DECIDE_MS, performance.now());
    await untilMs(buyAtMs);
    await withConnection(buyAtMs, (session) => buy(session, user, code));
  };

  const served: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (;;) {
        const n = served.length;
        const dueAtMs = startMs + (n / options.perSecond) * 1_000;
        if (n === options.items.length || dueAtMs > performance.now()) break;
        served.push(serve(n, dueAtMs));
      }
      if (served.length < options.items.length) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  await Promise.all(served);
  connections.close();
}

const untilMs = (ms: number) =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - performance.now())));

/** A pool of connections; callers wait in line for a free one. */
async function openPool(url: string, size: number) {
  const all: Connection[] = [];
  const waiting: ((connection: Connection) => void)[] = [];
  // Some at a time, so that the kernel's queue does not overflow.
  while (all.length < size) {
    const some = Array.from({ length: AT_A_TIME }, () => openConnection(url));
    await Promise.all(some.map((connection) => connection.connect()));
    all.push(...some);
  }
  const idle = [...all];
  return {
    async take(): Promise<Connection> {
      return idle.pop() ?? new Promise((resolve) => waiting.push(resolve));
    },
    give(connection: Connection): void {
      const next = waiting.shift();
      if (next) next(connection);
      else idle.push(connection);
    },
    close: () => {
      for (const connection of all) connection.close();
    },
  };
}
