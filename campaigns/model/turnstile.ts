/**
 * A turnstile before both stores: every call of a process under test waits there until the run says what becomes
 * of it. So a process can be held, forgotten, or resumed much later at any of its steps.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { Unanswered } from '../../src/store/errors.ts';
import type { Postgres, Transaction } from '../../src/store/postgres.ts';
import type { Redis } from '../../src/store/redis.ts';
import { type Call, nameOf, type Ran } from './calls.ts';

/**
 * What becomes of a call: it passes; it is done and its reply is lost; it is lost itself; it is given up by the
 * caller and done later, if ever (as by a store that was silent for a while).
 */
export type Fate = 'passes' | 'reply lost' | 'call lost' | 'late';

/** A call that met its fate, and what the model answered to it; without an answer when it has not been done. */
export interface Met {
  readonly name: string;
  readonly fate: Fate;
  readonly answer?: unknown;
}

/** What came of a process: a value, or the name of what it threw. */
export type Outcome = { readonly value: unknown } | { readonly thrown: string };

export interface Process {
  readonly name: string;
  /** Undefined while it goes on. */
  readonly outcome: Outcome | undefined;
  readonly met: readonly Met[];
  /** Whether a call waits. */
  readonly waits: boolean;
  /** Lets the waiting call meet its fate, and waits for what the process does next. */
  next(fate: Fate): Promise<void>;
}

export interface TurnstileOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  /** Does a call in the store and in the model; returns both replies, which it has compared. */
  readonly perform: (
    call: Call,
    send: () => Promise<unknown>,
  ) => Promise<{ reply: unknown; answer: unknown }>;
  /** Where calls go that are done late. */
  readonly late: (() => Promise<unknown>)[];
}

/** A process between two calls only computes. */
const IDLE_MAX_MS = 10_000;

interface Waiting {
  readonly call: Call;
  readonly perform: () => Promise<{ reply: unknown; answer: unknown }>;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts a process on stores that let no call through by themselves. */
export async function startProcess(
  name: string,
  options: TurnstileOptions,
  work: (redis: Redis, postgres: Postgres) => Promise<unknown>,
): Promise<Process> {
  const waiting: Waiting[] = [];
  const met: Met[] = [];
  let outcome: Outcome | undefined;

  const wait = (call: Call, send: () => Promise<unknown>) =>
    new Promise<unknown>((resolve, reject) => {
      // It reaches the Redis that is there by then, whichever: a proxy may change it behind an open connection.
      waiting.push({ call, perform: () => options.perform(call, send), resolve, reject });
    });
  const { redis, postgres } = waitingStores(options, wait);
  const arrival = async () => {
    const deadline = Date.now() + IDLE_MAX_MS;
    while (outcome === undefined && waiting.length === 0) {
      if (Date.now() > deadline) throw new Error(`${name} neither calls a store nor ends`);
      await turn();
    }
    // What a process leaves behind without waiting for it arrives in the same turn.
    await turn();
  };

  work(redis, postgres).then(
    (value) => {
      outcome = { value };
    },
    (error: Error) => {
      outcome = { thrown: error.name === 'Error' ? error.message : error.name };
    },
  );
  await arrival();
  return {
    name,
    met,
    get outcome() {
      return outcome;
    },
    get waits() {
      return waiting.length > 0;
    },
    async next(fate) {
      const { call, perform, resolve, reject } = waiting.shift()!;
      const done = fate === 'passes' || fate === 'reply lost' ? await perform() : undefined;
      met.push({ name: nameOf(call), fate, answer: done?.answer });
      if (fate === 'late') options.late.push(perform);
      if (fate === 'passes') resolve(done?.reply);
      else reject(new Unanswered(fate));
      await arrival();
    },
  };
}

function waitingStores(
  { redis, postgres }: TurnstileOptions,
  wait: (call: Call, send: () => Promise<unknown>) => Promise<unknown>,
): { redis: Redis; postgres: Postgres } {
  return {
    redis: {
      ...redis,
      isUp: true,
      run: (script, keys, args) => wait({ script, keys, args }, () => redis.run(script, keys, args)),
      command: (...words) => wait({ words }, () => redis.command(...words)),
      commandAt: (_, ...words) => wait({ words }, () => redis.command(...words)),
    },
    postgres: {
      isUp: true,
      tells: postgres.tells,
      load: postgres.load,
      query: <Row>(statement: { name: string; text: string }, values: unknown[] = []) =>
        wait({ statement, values }, () => postgres.query(statement, values)) as Promise<Row[]>,
      transaction: (table, work) => {
        const ran: Ran[] = [];
        const recorded = (client: Transaction): Transaction =>
          Object.create(client, {
            query: {
              value: async (statement: { name: string; text: string; values: unknown[] }) => {
                const result = await client.query(statement);
                ran.push({ statement, values: statement.values, rows: result.rows });
                return result;
              },
            },
          });
        const send = () => postgres.transaction(table, (client) => work(recorded(client)));
        return wait({ transaction: table, ran }, send) as ReturnType<typeof send>;
      },
      close: postgres.close,
    },
  };
}
