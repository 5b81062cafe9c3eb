/** How the facts of a sale are changed: Postgres first, then Redis, whose scripts decide by them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type LiveSale, type QueueSettings, SALE_ID } from '../sale.ts';
import { Unavailable } from './errors.ts';
import { fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import { type Postgres, statement } from './postgres.ts';
import { rowOfQueue } from './queue/saved.ts';
import { type Redis, script } from './redis.ts';
import { factsOf, type SaleRow } from './sale-row.ts';
import { FENCED } from './statuses.ts';

const switchScript = script('switch');
const sql = {
  facts: statement('sale_facts'),
  change: statement('change_sale'),
  raise: statement('raise_version'),
};
/** Two operators at once: the later one reads again what the other has made of the sale. */
const TRIES_MAX = 5;
/** How long a change waits for a shut gate: a rebuild of 10,000 items takes less. Past it the leader carries the change on. */
const HOLD_MS = 3_000;
const RETRY_MS = 50;

/** What Postgres knows of a sale but its items. */
export interface StoredSale extends LiveSale {
  readonly paused: boolean;
  readonly version: number;
  readonly retired: boolean;
  /** Committed as sold. */
  readonly sold: number;
  /** What of it is held for payments; where the sale has a payment window. */
  readonly held?: number;
  /** What time it is, by Redis, or by Postgres while Redis is away. */
  readonly nowMs: number;
}

/** What can be changed. */
export type Facts = Pick<StoredSale, 'startsAtMs' | 'endsAtMs' | 'userLimit' | 'paused'> & {
  readonly name?: string;
  /** The very object of the sale when it stays as it is. */
  readonly queue?: QueueSettings;
};

interface Row extends SaleRow {
  readonly hourly: boolean;
  readonly version: number;
  readonly epoch: number;
  readonly retired: boolean;
  readonly sold: number;
  readonly held: number | null;
  readonly now_ms: number;
}

/** Reads a sale from Postgres; undefined when there is none. Throws as `Postgres.query` does. */
export async function readSale(
  redis: Redis,
  postgres: Postgres,
  id: string,
): Promise<StoredSale | undefined> {
  if (!SALE_ID.test(id)) return undefined;
  const [row] = await postgres.query<Row>(sql.facts, [id]);
  if (row === undefined) return undefined;
  const { hourly, version, epoch, retired, sold, held, now_ms } = row;
  const nowMs = await readNow(redis, id).catch(() => now_ms);
  const counts = { sold, ...(held !== null && { held }) };
  return { ...factsOf(row), hourly, version, epoch, retired, ...counts, nowMs };
}

async function readNow(redis: Redis, saleId: string): Promise<number> {
  const [seconds, micros] = (await redis.commandAt(keysOf(saleId).gate, 'TIME')) as [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** What becomes of a sale, and the events that tell of it; or why it cannot. */
export type Judge<R> = (sale: StoredSale) => { readonly facts: Facts } | { readonly refused: R };

/**
 * Changes a sale in Postgres by one update that holds only for the version that `judge` has seen. Undefined when there is no
 * such sale. `tells`: the feed hears of it, in the same transaction. Redis does not know of it yet: see `holdSale`. Throws as `Postgres.query` does.
 */
export async function changeSale<R>(
  redis: Redis,
  postgres: Postgres,
  id: string,
  judge: Judge<R>,
  tells: boolean,
): Promise<StoredSale | { readonly refused: R } | undefined> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const sale = await readSale(redis, postgres, id);
    if (sale === undefined) return undefined;
    const judged = judge(sale);
    if ('refused' in judged) return judged;
    const { queue, ...facts } = judged.facts;
    const queueRow = queue === undefined || queue === sale.queue ? null : rowOfQueue(queue);
    const [changed] = await postgres.query<{ version: number }>(sql.change, [
      id,
      sale.version,
      facts.paused,
      new Date(facts.startsAtMs),
      new Date(facts.endsAtMs),
      facts.userLimit,
      facts.name ?? null,
      !tells || sale.paused === facts.paused ? [] : [facts.paused ? 'sale.paused' : 'sale.resumed'],
      queueRow,
    ]);
    if (changed === undefined) continue;
    return queueRow === null
      ? { ...sale, ...facts, version: changed.version }
      : readSale(redis, postgres, id);
  }
  throw new Unavailable('the sale changes too often');
}

/**
 * Brings Redis to the facts of a sale. Returns the version that Redis holds from now on, which may be a later one; undefined
 * when the gate is shut. Throws as `Redis.run` does.
 */
async function bringRedis(redis: Redis, sale: LiveSale): Promise<number | undefined> {
  const { gate, sale: hash } = keysOf(sale.id);
  const { version = 0, startsAtMs, endsAtMs, userLimit, paused = false } = sale;
  const facts = [version, startsAtMs, endsAtMs, userLimit, Number(paused)].map(String);
  const held = (await redis.run(switchScript, [gate, hash], [fenceOf(sale.epoch), ...facts])) as number;
  return held === FENCED ? undefined : held;
}

/**
 * Resolves when Redis holds a change: no script decides by older facts from then on, on whatever worker of whatever box. Behind a
 * shut gate nobody decides, and a rebuild that opens it has read the change; this waits for that, since an older one might, `holdMs`
 * milliseconds at most. Throws Unavailable or Unanswered when Redis does not hold it in time: the leader carries it on.
 */
export async function holdSale(
  redis: Redis,
  postgres: Postgres,
  changed: StoredSale,
  holdMs: number = HOLD_MS,
): Promise<void> {
  const deadline = performance.now() + holdMs;
  let overtaken = 0;
  for (let sale: StoredSale | undefined = changed; sale !== undefined && !sale.retired; ) {
    const held = await carrySale(redis, postgres, sale);
    // What was carried is this change, or a later one.
    if (held === sale.version) return;
    if (held === undefined) {
      if (performance.now() > deadline) throw new Unavailable('the gate of the sale stays shut');
      await sleep(RETRY_MS);
    } else if (++overtaken === TRIES_MAX) throw new Unavailable('the sale changes too often');
    // A rebuild gives the sale another epoch; somebody else, or a Postgres that came back older, another version.
    sale = await readSale(redis, postgres, changed.id);
  }
}

/**
 * Brings Redis to what Postgres says of a sale: the leader does so where whoever changed it could not. Returns the version that Redis holds;
 * undefined when the gate is shut. Where that is a later one, a Postgres that came back older takes a version above it, and is carried on
 * with the next call.
 */
export async function carrySale(
  redis: Redis,
  postgres: Postgres,
  sale: LiveSale,
): Promise<number | undefined> {
  const held = await bringRedis(redis, sale);
  if (held !== undefined && held > (sale.version ?? 0)) await postgres.query(sql.raise, [sale.id, held]);
  return held;
}
