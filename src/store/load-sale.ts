/** The part of a rebuild that writes a sale's state into Redis from Postgres, behind the shut gate. */
import { formatDecision } from './decision.ts';
import type { keysOf } from './keys.ts';
import { labelOf } from './label.ts';
import { type Postgres, statement } from './postgres.ts';
import { type Redis, script } from './redis.ts';
import { eachReturn, formatReturn } from './returns.ts';
import { FENCED } from './statuses.ts';

/** Rows per step: Lua unpacks at most some 8,000 values, and each step should hold Redis for about a millisecond. */
const STEP_ROWS = 1_000;

const scripts = {
  load: script('rebuild_load'),
  free: script('rebuild_free'),
  decisions: script('rebuild_decisions'),
};
const sql = {
  items: statement('rebuild_items'),
  free: statement('rebuild_free'),
  bought: statement('rebuild_bought'),
  decisions: statement('rebuild_decisions'),
};

/** The epoch of a rebuild, and the last one whose rebuild went through. */
export interface Epochs {
  readonly epoch: number;
  readonly opened_epoch: number;
}

/** How much of a sale there is to load. */
export interface Size {
  /** Units. */
  readonly total: number;
  readonly items: number;
}

/** A later rebuild of the same sale has replaced this one, or must: the sale has more units than were read. */
export class Superseded extends Error {}

/** A rebuild under way. */
export interface Rebuild {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly saleId: string;
  readonly sale: Epochs & Size;
  readonly keys: ReturnType<typeof keysOf>;
  readonly token: string;
}

/** Waits for a step of a rebuild. Throws Superseded when another rebuild has taken over. */
export async function step(work: Promise<unknown>): Promise<void> {
  const reply = await work;
  if (reply === FENCED) throw new Superseded();
  if (reply !== 1) throw new Error(`a rebuild step failed: ${String(reply)}`);
}

/** What was loaded: units that are sold, and items of which nothing is left. */
export interface Loaded {
  sold: number;
  gone: number;
}

interface ItemRow extends Record<string, unknown> {
  readonly id: string;
  readonly name: string;
  readonly price: number | null;
  readonly stock: number;
  readonly held: number;
  readonly lowest: number | null;
}

/** Writes the items, what is left of each, and which units of them are free. */
export async function loadItems(rebuild: Rebuild): Promise<Loaded> {
  const { redis, postgres, saleId, sale, keys, token } = rebuild;
  const loaded = { sold: 0, gone: 0 };
  let units = 0;
  const load = (key: string, fields: string[]) =>
    step(redis.run(scripts.load, [keys.gate, key], [token, ...fields]));
  const read = (from: number) => {
    const rows = postgres.query<ItemRow>(sql.items, [saleId, from, from + STEP_ROWS]);
    // Awaited in the next round; when Redis fails before that, nobody does.
    rows.catch(() => {});
    return rows;
  };
  let reading = read(0);
  for (let from = 0; from < sale.items; from += STEP_ROWS) {
    const rows = await reading;
    // While Redis takes one part, Postgres reads the next.
    if (from + STEP_ROWS < sale.items) reading = read(from + STEP_ROWS);
    await load(
      keys.items,
      rows.flatMap((row) => [row.id, String(row.stock - row.held)]),
    );
    await load(
      keys.names,
      rows.flatMap((row) => [row.id, labelOf(row.name, row.price)]),
    );
    for (const row of rows) {
      units += row.stock;
      loaded.sold += row.held;
      if (row.held === row.stock) loaded.gone++;
    }
    await loadFree(rebuild, rows);
  }
  if (units !== sale.total)
    throw new Error(`sale ${saleId} has ${units} units, and its total is ${sale.total}`);
  return loaded;
}

/**
 * Units are handed out from the highest downwards: those below the lowest that is held need no list. Others are for sale above it
 * where a decision was lost with Redis' memory, or units came back.
 */
async function loadFree(
  { redis, postgres, saleId, keys, token }: Rebuild,
  rows: readonly ItemRow[],
): Promise<void> {
  for (const spans of spansAbove(rows)) {
    const columns = [
      spans.map(({ id }) => id),
      spans.map(({ from }) => from),
      spans.map(({ below }) => below),
    ];
    const free = await postgres.query<{ id: string; unit: number }>(sql.free, [saleId, ...columns]);
    const members = free.flatMap(({ id, unit }) => ['0', `${id}@${unit}`]);
    if (members.length > 0) await step(redis.run(scripts.free, [keys.gate, keys.free], [token, ...members]));
  }
}

/** Units of an item, from one and below another. */
interface Span {
  readonly id: string;
  readonly from: number;
  readonly below: number;
}

/** The units above the lowest that is held, of items in which some of these are free; STEP_ROWS at a time. */
function* spansAbove(rows: readonly ItemRow[]): Generator<readonly Span[]> {
  let spans: Span[] = [];
  let room = STEP_ROWS;
  for (const { id, stock, held, lowest } of rows) {
    if (lowest === null || stock - lowest === held) continue;
    for (let from = lowest + 1; from < stock; ) {
      const below = Math.min(from + room, stock);
      spans.push({ id, from, below });
      room -= below - from;
      from = below;
      if (room > 0) continue;
      yield spans;
      spans = [];
      room = STEP_ROWS;
    }
  }
  if (spans.length > 0) yield spans;
}

/** Writes how many units each user holds. */
export async function loadBought({ redis, postgres, saleId, keys, token }: Rebuild): Promise<void> {
  const rows = await postgres.query<{ user_id: string; bought: number }>(sql.bought, [saleId]);
  for (let from = 0; from < rows.length; from += STEP_ROWS) {
    const counts = rows.slice(from, from + STEP_ROWS).flatMap((row) => [row.user_id, String(row.bought)]);
    await step(redis.run(scripts.load, [keys.gate, keys.bought], [token, ...counts]));
  }
}

/** Writes the committed decisions, and takes away the carts and codes that they have spent. */
export async function loadDecisions({ redis, postgres, saleId, keys, token }: Rebuild): Promise<void> {
  const declared = [keys.gate, keys.decisions, keys.codes, keys.carts];
  let after = `CHK-${saleId}-`;
  for (;;) {
    const rows = await postgres.query<{ code: string; user_id: string; decided_ms: number; lines: string }>(
      sql.decisions,
      [after, `CHK-${saleId}.`, STEP_ROWS],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    const decisions = rows.flatMap((row) => [
      row.code,
      formatDecision({ decidedMs: row.decided_ms, userId: row.user_id, lines: row.lines.split(' ') }),
    ]);
    await step(redis.run(scripts.decisions, declared, [token, ...decisions]));
    after = last.code;
  }
}

/** No return is noted while the epoch is not open: these are all, and what was read before includes them. */
export async function loadReturns({ redis, postgres, saleId, keys, token }: Rebuild): Promise<void> {
  for await (const returns of eachReturn(postgres, saleId)) {
    const fields = returns.flatMap((each) => [String(each.number), formatReturn(each)]);
    await step(redis.run(scripts.load, [keys.gate, keys.returns], [token, ...fields]));
  }
}
