import type { LiveSale } from '../../sale.ts';
import { type Batcher, createBatcher } from '../batcher.ts';
import { Fenced, Unavailable } from '../errors.ts';
import { queueKeysOf } from '../keys.ts';
import { type Postgres, statement } from '../postgres.ts';
import { type Redis, script } from '../redis.ts';
import { OF_JOIN, OF_JOIN_BATCH } from '../statuses.ts';
import { restoreQueue } from './line.ts';

const joinScript = script('queue_join');
const reserve = statement('reserve_places');

/** As many buyers of one queue have cost Redis some 140 MB; a crowd of made-up users must not fill it. */
export const QUEUE_BUYERS_MAX = 2_000_000;
/** Operations of one script call: less than a millisecond of Redis. */
const BATCH_MAX = 256;
const IN_FLIGHT_MAX = 2;
/** Operations that may wait per worker and sale: some 200 ms of work. */
const PENDING_MAX = 8_192;
/**
 * Numbers that are reserved in Postgres at a time. A Redis that comes back empty goes on behind them: so many places of nobody, at
 * most, and a statement for each so many buyers.
 */
const RESERVED = 1_000;
/** Others may take what one batch has reserved: then it reserves again. */
const TRIES_MAX = 8;

/** A buyer, as Redis knows him: `lot` names him, `fraction` is where among the drawn ones he stands. */
export interface JoinOp {
  readonly lot: string;
  readonly fraction: number;
}

/** 0: he is drawn; n: he is the n-th of the later comers; or why he has no place. */
export type JoinResult = number | 'not-open' | 'ended' | 'full';

/** A batcher of those who join a sale's queue. It rejects as `Redis.run` and `Postgres.query` do. */
export function createJoins(
  redis: Redis,
  postgres: Postgres,
  sale: () => LiveSale,
  buyersMax = QUEUE_BUYERS_MAX,
): Batcher<JoinOp, JoinResult> {
  /** One reservation at a time: more would leave gaps. */
  let reserving: Promise<number> | undefined;
  let reserved = 0;
  const reserveFrom = (later: number) => {
    reserving ??= reservePlaces(redis, postgres, sale().id, later).finally(() => {
      reserving = undefined;
    });
    return reserving.then((last) => {
      reserved = last;
    });
  };
  /** While half of what is reserved is left, the next is reserved: nobody waits for Postgres. */
  const reserveAhead = (later: number) => {
    if (later === 0 || later + RESERVED / 2 < reserved) return;
    // Whoever needs a number that is not reserved tries again, and hears why it cannot be.
    reserveFrom(later).catch(() => {});
  };
  return createBatcher<JoinOp, JoinResult>({
    batchMax: BATCH_MAX,
    inFlightMax: IN_FLIGHT_MAX,
    pendingMax: PENDING_MAX,
    run: (ops) => joinAll({ redis, saleId: sale().id, buyersMax, reserveFrom, reserveAhead }, ops),
  });
}

interface JoinDeps {
  readonly redis: Redis;
  readonly saleId: string;
  readonly buyersMax: number;
  /** Reserves numbers behind the last one that was given. */
  readonly reserveFrom: (later: number) => Promise<void>;
  readonly reserveAhead: (later: number) => void;
}

async function joinAll(deps: JoinDeps, ops: readonly JoinOp[]): Promise<JoinResult[]> {
  const numbers: number[] = [];
  // Which operations the next call decides.
  let open = ops.map((_, i) => i);
  for (let tries = 0; open.length > 0 && tries < TRIES_MAX; tries++) {
    const joined = await join(
      deps,
      open.map((i) => ops[i] as JoinOp),
    );
    if (typeof joined === 'string') return ops.map(() => joined);
    for (const [nth, i] of open.entries()) numbers[i] = joined.numbers[nth] as number;
    open = open.filter((i) => OF_JOIN[numbers[i] as keyof typeof OF_JOIN] === 'unreserved');
    if (open.length > 0) await deps.reserveFrom(joined.later);
    else deps.reserveAhead(joined.later);
  }
  return numbers.map((number) => (number < 0 ? 'full' : number));
}

async function join(
  { redis, saleId, buyersMax }: JoinDeps,
  ops: readonly JoinOp[],
): Promise<{ numbers: number[]; later: number } | 'not-open' | 'ended'> {
  const { queue, places } = queueKeysOf(saleId);
  let packed = '';
  for (const { lot, fraction } of ops) packed += `${lot} ${fraction} `;
  const reply = await redis.run(joinScript, [queue, places], [String(buyersMax), packed]);
  if (typeof reply === 'number') {
    const outcome = OF_JOIN_BATCH[reply as keyof typeof OF_JOIN_BATCH];
    if (outcome === 'fenced') throw new Fenced(saleId);
    return outcome;
  }
  const [later, ...numbers] = (reply as string).split(' ').map(Number);
  return { numbers, later: later as number };
}

/** Reserves numbers behind the last one that was given: in Postgres first, so that none is ever given twice. Returns the last one. */
async function reservePlaces(
  redis: Redis,
  postgres: Postgres,
  saleId: string,
  later: number,
): Promise<number> {
  const [row] = await postgres.query<{ reserved: number }>(reserve, [saleId, later + RESERVED]);
  if (row === undefined) throw new Unavailable('the sale has no queue in Postgres');
  await restoreQueue(redis, saleId, { joined: 0, reserved: row.reserved, line: 0, tail: 0 });
  return row.reserved;
}
