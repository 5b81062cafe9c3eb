import { type Clock, createClock, createMachine, type Machine, type Thread } from './clock.ts';
import type { Costs } from './costs.ts';
import { createWorker, type Sale, type Worker } from './service.ts';
import { BIN_US, createShopper, type Tally } from './shopper.ts';

export interface Setup {
  readonly boxes: number;
  /** Of each box; with `shared`, of the one machine. */
  readonly cores: number;
  /** Of each box. */
  readonly workers: number;
  /** Masters of Redis, a core each. */
  readonly masters: number;
  readonly postgresCores: number;
  readonly sales: number;
  /** Of each sale. */
  readonly items: number;
  /** Redis, Postgres and the load generator run on the cores of the one box. */
  readonly shared: boolean;
}

export type Crowd =
  /** Buyers who come within so many seconds; each tries so many items until he has one. */
  | { readonly buyers: number; readonly seconds: number; readonly tries: number }
  /** As `npm run sellout`: so many at a time, an item each. */
  | { readonly connections: number };

export interface Outcome {
  readonly requests: number;
  readonly refused: number;
  readonly shed: number;
  readonly sold: number;
  /** From the first request until the last item was committed, and until the last answer; seconds. */
  readonly soldOutS: number;
  readonly endS: number;
  /** Of all requests, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Share of the time until the last answer in which each part was busy; of parts that are several, the busiest. */
  readonly busy: Readonly<Record<'workers' | 'redis' | 'postgres', number>>;
  /** Answers of each bin of time. */
  readonly curve: Tally['curve'] & { readonly binS: number };
}

/** A deterministic source of choices (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs it to its end; the same arguments have the same outcome. */
export function simulate(setup: Setup, crowd: Crowd, costs: Costs, seed = 1): Outcome {
  const clock = createClock();
  const stage = build(clock, setup, costs);
  const { sales, workers } = stage;
  const random = randomOf(seed);
  const tally: Tally = { requests: 0, refused: 0, shed: 0, endUs: 0, latenciesUs: [], curve: noCurve() };
  const shop = createShopper({ clock, costs, tally, netUs: stage.netUs, generator: stage.generator });

  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  if ('connections' in crowd) {
    let next = 0;
    const all = setup.sales * setup.items;
    const user = (worker: Worker): void => {
      const n = next++;
      if (n >= all) return;
      shop(
        sales[n % sales.length] as Sale,
        () => Math.floor(n / sales.length),
        1,
        worker,
        () => user(worker),
      );
    };
    for (let n = 0; n < crowd.connections; n++) user(workers[n % workers.length] as Worker);
  } else {
    // One after the other: a million planned at once would make each step of the clock slow.
    const timesUs = Float64Array.from({ length: crowd.buyers }, () => random() * crowd.seconds * 1e6).sort();
    const come = (n: number): void => {
      if (n === timesUs.length) return;
      clock.after((timesUs[n] as number) - clock.nowUs, () => {
        come(n + 1);
        shop(
          pick(sales),
          () => Math.floor(random() * setup.items),
          crowd.tries,
          pick(workers),
          () => {},
        );
      });
    };
    come(0);
  }
  clock.run();

  return outcomeOf(setup, stage, tally);
}

const noCurve = (): Tally['curve'] => ({ bought: [], refused: [], shed: [] });

function outcomeOf(
  setup: Setup,
  { sales, workers, redis, sessions }: Stage,
  { requests, refused, shed, endUs, latenciesUs, curve }: Tally,
): Outcome {
  const latencies = latenciesUs.sort((a, b) => a - b);
  const at = (share: number) => (latencies[Math.floor((latencies.length - 1) * share)] ?? 0) / 1e3;
  const busiest = (threads: readonly Thread[]) => Math.max(...threads.map(({ busyUs }) => busyUs)) / endUs;
  const committing = sessions.reduce((sum, { busyUs }) => sum + busyUs, 0);
  return {
    ...{ requests, refused, shed },
    sold: sales.reduce((sum, { committed }) => sum + committed, 0),
    soldOutS: Math.max(...sales.map((sale) => sale.soldOutUs)) / 1e6,
    ...{ endS: endUs / 1e6, p50Ms: at(0.5), p99Ms: at(0.99) },
    curve: { binS: BIN_US / 1e6, ...curve },
    busy: {
      workers: busiest(workers.map(({ thread }) => thread)),
      redis: busiest(redis),
      postgres: committing / (setup.shared ? setup.cores : setup.postgresCores) / endUs,
    },
  };
}

type Stage = ReturnType<typeof build>;

function build(clock: Clock, setup: Setup, costs: Costs) {
  const one = setup.shared ? createMachine(clock, setup.cores) : undefined;
  const postgres = one ?? createMachine(clock, setup.postgresCores);
  const redis = Array.from({ length: setup.masters }, () => (one ?? createMachine(clock, 1)).thread());
  const sessions: Thread[] = [];
  const counted: Machine = {
    thread() {
      const thread = postgres.thread();
      sessions.push(thread);
      return thread;
    },
  };
  const netUs = setup.shared ? costs.nearUs : costs.farUs;
  const workers: Worker[] = [];
  const hear = (items: number) => {
    if (items > 0) for (const { thread } of workers) thread.do(items * costs.heardUs, () => {});
  };
  for (let box = 0; box < setup.boxes; box++) {
    const machine = one ?? createMachine(clock, setup.cores);
    const primary = machine.thread();
    for (let n = 0; n < setup.workers; n++) {
      const options = { clock, costs, netUs, primary, hear, postgres: counted };
      workers.push(createWorker({ ...options, thread: machine.thread() }));
    }
  }
  const sales = Array.from(
    { length: setup.sales },
    (_, n): Sale => ({
      redis: redis[n % redis.length] as Thread,
      left: setup.items,
      soldAtUs: new Float64Array(setup.items).fill(Number.POSITIVE_INFINITY),
      ...{ soldOutUs: 0, committed: 0 },
    }),
  );
  return { workers, sales, redis, sessions, netUs, generator: one?.thread() };
}
