/** What a run is made of: commands as plain data, so that a counterexample can be read, and kept. */
import fc from 'fast-check';
import type { Fate } from './turnstile.ts';

/**
 * How far a process goes: so many calls pass, and the next one meets the fate; with 'waits', the process is left
 * there. Without a course it goes to its end.
 */
export type Course = readonly [calls: number, fate: Exclude<Fate, 'passes'> | 'waits'];

interface Starts {
  readonly course?: Course | undefined;
}

export type Op = readonly [user: number, item: number, quantity?: number | undefined];

export type Command =
  /** Puts items into carts, in one batch: [user, item] by number, and the quantity when one is given. */
  | ({ readonly do: 'checkout'; readonly worker: number; readonly ops: readonly Op[] } & Starts)
  /** Buys codes in one batch: 0 is the code given out last, 1 the one before … */
  | ({ readonly do: 'purchase'; readonly worker: number; readonly codes: readonly number[] } & Starts)
  | ({ readonly do: 'sweep' | 'rebuild' | 'retire' | 'carry' } & Starts)
  /** Takes back what a code has bought, or a unit of it. */
  | ({
      readonly do: 'give back';
      readonly code: number;
      readonly part: boolean;
      readonly restock: boolean;
    } & Starts)
  /** An operator pauses or resumes the sale, raises its limit, ends it, or opens it again for hours. */
  | ({ readonly do: 'switch'; readonly turn: Turn } & Starts)
  /** Units come to an item, by number; past the last, a new item comes. */
  | ({ readonly do: 'more'; readonly item: number; readonly units: number } & Starts)
  /** A process that was left at a call goes on. */
  | ({ readonly do: 'resume'; readonly process: number } & Starts)
  /** A store completes what its caller has given up. */
  | { readonly do: 'late'; readonly call: number }
  /** A worker learns the epoch that Postgres has now. */
  | { readonly do: 'learn'; readonly worker: number }
  /** The leader checks the sale, and all workers learn of it. */
  | { readonly do: 'keep' }
  | { readonly do: 'begin' | 'end' }
  /** `lose items`: the key of the items is gone, and nothing else; a missing key is not sellable. */
  | ({ readonly do: 'restart' | 'empty' | 'lose items' } & Heals)
  /** A key that grows is gone, and the leader sees it at once: it compares five times a second. */
  | { readonly do: 'lose'; readonly key: 'bought' | 'decisions' | 'outbox' | 'returns'; readonly kept: true }
  /** Postgres comes back as it was so many commands ago: an asynchronous standby was promoted. */
  | ({ readonly do: 'Postgres goes back'; readonly commands: number } & Heals)
  /** Redis comes back as it was so many commands ago. */
  | ({ readonly do: 'go back'; readonly commands: number } & Heals);

export type Turn = 'pause' | 'resume' | 'limit' | 'end' | 'extend';

interface Heals {
  /** Whether the leader keeps the sale right after the fault. */
  readonly kept?: boolean | undefined;
}

/** A run: a sale and what happens to it. */
export interface Script {
  readonly items: number;
  /** Units of the items, in their order; 1 for those that it does not name. */
  readonly stocks?: readonly number[] | undefined;
  readonly limit: number;
  /** The sale begins only by command. */
  readonly scheduled: boolean;
  /** Whether restarts of Redis are real ones, by SIGKILL. */
  readonly real: boolean;
  /** Whether processes that were left at a call go on in the end, or are gone for ever. */
  readonly finish: boolean;
  readonly commands: readonly Command[];
}

export const WORKERS = 2;
const USERS = 2;
const COMMANDS_MAX = 35;
/** The number of an item that the sale does not have. */
export const STRANGER = 6;

/** Most processes go to their end; `held` in ten are held or disturbed at one of their first `calls` calls. */
const courseOf = (held: number, calls: number): fc.Arbitrary<Course | undefined> =>
  fc.oneof(
    { weight: 10 - held, arbitrary: fc.constant(undefined) },
    { weight: held, arbitrary: fc.tuple(fc.nat(calls - 1), fc.constantFrom(...FATES)) },
  );
const FATES = ['waits', 'waits', 'waits', 'reply lost', 'call lost', 'late'] as const;

const worker = fc.nat(WORKERS - 1);
const word = <const T extends string>(...words: T[]) => fc.record({ do: fc.constantFrom(...words) });
const fault = <const T extends string>(...words: T[]) =>
  fc.record({ do: fc.constantFrom(...words), kept: fc.boolean() });
const process = <const T extends string>(what: T, held: number, calls: number) =>
  fc.record({ do: fc.constant(what), course: courseOf(held, calls) });

/** Most ask for one unit without saying so. */
const quantity = fc.option(fc.constantFrom(0, 1, 2, 2, 3), { nil: undefined, freq: 1 });
const checkout = fc.record({
  do: fc.constant('checkout' as const),
  worker,
  ops: fc.array(fc.tuple(fc.nat(USERS - 1), fc.nat(STRANGER), quantity), { minLength: 1, maxLength: 4 }),
  course: courseOf(1, 1),
});
const purchase = fc.record({
  do: fc.constant('purchase' as const),
  worker,
  codes: fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }),
  course: courseOf(6, 3),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 12, arbitrary: checkout },
  { weight: 10, arbitrary: purchase },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('give back' as const),
      code: fc.nat(4),
      part: fc.boolean(),
      restock: fc.constantFrom(true, true, true, false),
      course: courseOf(4, 4),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('switch' as const),
      turn: fc.constantFrom<Turn>('pause', 'pause', 'resume', 'resume', 'limit', 'end', 'extend', 'extend'),
      course: courseOf(4, 5),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('more' as const),
      item: fc.nat(6),
      units: fc.integer({ min: 1, max: 2 }),
      course: courseOf(3, 1),
    }),
  },
  { weight: 1, arbitrary: process('carry', 5, 3) },
  { weight: 3, arbitrary: process('rebuild', 6, 15) },
  { weight: 2, arbitrary: process('sweep', 4, 3) },
  { weight: 1, arbitrary: process('retire', 4, 30) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('resume' as const),
      process: fc.nat(3),
      course: courseOf(4, 6),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('late' as const), call: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('learn' as const), worker }) },
  { weight: 4, arbitrary: word('keep') },
  { weight: 3, arbitrary: fault('restart', 'empty', 'empty', 'empty', 'lose items') },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('go back' as const), commands: fc.nat(9), kept: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('lose' as const),
      key: fc.constantFrom('bought', 'decisions', 'outbox', 'returns'),
      kept: fc.constant(true as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('Postgres goes back' as const),
      commands: fc.nat(6),
      kept: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: word('begin', 'end') },
);

/** Any run. Real restarts take a tenth of a second and more, so few runs have them. */
export const anyScript = (realRestarts: boolean): fc.Arbitrary<Script> =>
  fc.record({
    items: fc.integer({ min: 3, max: 6 }),
    stocks: fc.option(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 }), {
      nil: undefined,
      freq: 2,
    }),
    limit: fc.constantFrom(2, 2, 2, 1, 3),
    scheduled: fc.constantFrom(false, false, false, false, false, false, false, true),
    real: fc.constant(realRestarts),
    finish: fc.boolean(),
    // Without bias: fast-check likes short lists of equal things at first, and those are soon known.
    commands: fc.noBias(fc.array(command, { minLength: 1, maxLength: COMMANDS_MAX, size: 'max' })),
  });

/** A run as lines that can be pasted into past.ts. */
export function print({ commands, ...sale }: Script): string {
  const lines = commands.map((each) => `    ${JSON.stringify(each)},`);
  return [`{ ...${JSON.stringify(sale)}, commands: [`, ...lines, ']}'].join('\n');
}
