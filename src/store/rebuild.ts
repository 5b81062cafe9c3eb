import type { OnContradiction } from './commit.ts';
import { forgetEntries } from './decide.ts';
import { formatDecision } from './decision.ts';
import { Unavailable } from './errors.ts';
import { epochNamedBy, fenceOf, tokenOf } from './fence.ts';
import { keysOf } from './keys.ts';
import { type SavedReturns, saveReturns } from './lost-returns.ts';
import { commitEntries, readOutbox } from './outbox.ts';
import { type Postgres, statement } from './postgres.ts';
import { type Redis, script } from './redis.ts';
import { eachReturn, formatReturn } from './returns.ts';
import { salvageDecisions } from './salvage.ts';
import { FENCED } from './statuses.ts';

/** Rows per step: Lua unpacks at most some 8,000 values, and each step should hold Redis for about a millisecond. */
const STEP_ROWS = 1_000;

const scripts = {
  begin: script('rebuild_begin'),
  clear: script('rebuild_clear'),
  load: script('rebuild_load'),
  free: script('rebuild_free'),
  decisions: script('rebuild_decisions'),
  open: script('rebuild_open'),
};
const sql = {
  bumpEpoch: statement('bump_epoch'),
  items: statement('rebuild_items'),
  free: statement('rebuild_free'),
  bought: statement('rebuild_bought'),
  decisions: statement('rebuild_decisions'),
  openEpoch: statement('open_epoch'),
};

interface Sale {
  readonly epoch: number;
  readonly opened_epoch: number;
  /** Units. */
  readonly total: number;
  readonly items: number;
}

/** What the sale's hash says. */
interface Facts {
  readonly starts_ms: number;
  readonly ends_ms: number;
  /** Units. */
  readonly total: number;
  readonly user_limit: number;
  readonly version: number;
  readonly paused: boolean;
}

/** A later rebuild of the same sale has replaced this one. */
class Superseded extends Error {}

interface Rebuild {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly saleId: string;
  readonly sale: Sale;
  readonly keys: ReturnType<typeof keysOf>;
  readonly token: string;
}

export interface Rebuilt {
  /** The new epoch. */
  readonly epoch: number;
  /** Whether the gate was shut because Postgres had contradicted Redis. */
  readonly doubted: boolean;
  /** Decisions that Redis alone knew, and that are committed now. */
  readonly salvaged: number;
  /** Returns that Redis alone knew, and that are noted now. */
  readonly returns: number;
}

/**
 * Writes a sale's state into Redis from Postgres and opens its gate; a new sale's first load is the same thing.
 * The steps and why each invariant holds at each of them: docs/recovery.md.
 * Returns undefined when a later rebuild took over, or the sale is retired. Throws Unavailable or Unanswered when a store
 * went away: the gate then stays shut, and the next rebuild begins anew.
 *
 * @param above an epoch that the new one must be above, as it must be above those that the stores name
 */
export async function rebuildSale(
  redis: Redis,
  postgres: Postgres,
  saleId: string,
  onContradiction: OnContradiction,
  above = 0,
): Promise<Rebuilt | undefined> {
  if (!redis.isUp) throw new Unavailable('Redis is away');
  const gate = (await redis.command('GET', keysOf(saleId).gate)) as string | null;
  const [sale] = await postgres.query<Sale & Record<string, unknown>>(sql.bumpEpoch, [
    saleId,
    Math.max(above, epochNamedBy(gate ?? '')),
  ]);
  if (sale === undefined) return undefined;
  const rebuild: Rebuild = {
    redis,
    postgres,
    saleId,
    sale,
    keys: keysOf(saleId),
    token: tokenOf(sale.epoch),
  };
  try {
    const found = await begin(rebuild);
    // What waits in the outbox is among the decisions too.
    const told = new Set<string>();
    const tell: OnContradiction = (decision, error) => {
      if (!told.has(decision.code)) onContradiction(decision, error);
      told.add(decision.code);
    };
    const isValid = found.epoch > 0 && found.epoch >= sale.opened_epoch;
    // First of all: what came back may be another's in the outbox.
    const saved = isValid ? await saveLostReturns(rebuild, tell) : NOTHING;
    await carryOver(rebuild, tell);
    const salvaged = isValid ? await salvage(rebuild, tell) : 0;
    await clear(rebuild);
    const loaded = await loadItems(rebuild);
    await loadBought(rebuild);
    await loadDecisions(rebuild);
    await loadReturns(rebuild);
    await open(rebuild, loaded);
    return {
      ...{ epoch: sale.epoch, doubted: found.doubted },
      ...{ salvaged: salvaged + saved.decisions, returns: saved.returns },
    };
  } catch (error) {
    if (error instanceof Superseded) return undefined;
    throw error;
  }
}

async function step(work: Promise<unknown>): Promise<void> {
  const reply = await work;
  if (reply === FENCED) throw new Superseded();
  if (reply !== 1) throw new Error(`a rebuild step failed: ${String(reply)}`);
}

/** Shuts the gate. Returns the epoch that the decisions in Redis are of; 0 when it is not known. */
async function begin({ redis, keys: k, sale, token }: Rebuild): Promise<Pick<Rebuilt, 'epoch' | 'doubted'>> {
  const reply = await redis.run(scripts.begin, [k.gate, k.sale], [token, String(sale.epoch)]);
  if (reply === FENCED) throw new Superseded();
  const [epoch, doubted] = reply as [number, number];
  return { epoch, doubted: doubted === 1 };
}

const NOTHING: SavedReturns = { returns: 0, decisions: 0 };

/**
 * Notes the returns that Redis holds and a Postgres that came back older has lost. From before the last rebuild that went through they
 * are void, as decisions are, and entries of the outbox.
 */
async function saveLostReturns(
  { redis, postgres, saleId, sale, token }: Rebuild,
  onContradiction: OnContradiction,
): Promise<SavedReturns> {
  const inEpoch = { id: saleId, epoch: sale.epoch };
  const saved = await saveReturns(redis, postgres, inEpoch, token, onContradiction);
  if (saved === undefined) throw new Superseded();
  return saved;
}

/** Commits the decisions that Redis holds and a Postgres that came back older has lost. */
async function salvage(
  { redis, postgres, saleId, sale, token }: Rebuild,
  onContradiction: OnContradiction,
): Promise<number> {
  const salvaged = await salvageDecisions(
    redis,
    postgres,
    { id: saleId, epoch: sale.epoch },
    token,
    onContradiction,
  );
  if (salvaged === undefined) throw new Superseded();
  return salvaged;
}

async function clear({ redis, keys: k, token }: Rebuild): Promise<void> {
  const cleared = [k.sale, k.items, k.names, k.bought, k.decisions, k.free, k.returns];
  await step(redis.run(scripts.clear, [k.gate, ...cleared], [token]));
}

/**
 * Commits what a surviving outbox holds, under the new epoch: clients may know of these decisions.
 * Decisions from before the last completed rebuild (an old copy of Redis brings them back) are void: they were never
 * answered, and that rebuild put their items up for sale again. So is what contradicts Postgres, which outranks Redis.
 */
async function carryOver(
  { redis, postgres, saleId, sale, token }: Rebuild,
  onContradiction: OnContradiction,
): Promise<void> {
  for (;;) {
    const entries = await readOutbox(redis, saleId, token);
    if (entries === undefined) throw new Superseded();
    if (entries.length === 0) return;
    const valid = entries.filter((entry) => entry.epoch >= sale.opened_epoch);
    const committed = await commitEntries(
      postgres,
      { id: saleId, epoch: sale.epoch },
      valid,
      onContradiction,
    );
    if (committed === undefined) throw new Superseded();
    const ids = entries.map((entry) => entry.id);
    if (!(await forgetEntries(redis, saleId, token, ids))) throw new Superseded();
  }
}

/** What was loaded: units that are sold, and items of which nothing is left. */
interface Loaded {
  sold: number;
  gone: number;
}

interface ItemRow extends Record<string, unknown> {
  readonly id: string;
  readonly name: string;
  readonly stock: number;
  readonly held: number;
  readonly lowest: number | null;
}

async function loadItems(rebuild: Rebuild): Promise<Loaded> {
  const { redis, postgres, saleId, sale, keys, token } = rebuild;
  const loaded = { sold: 0, gone: 0 };
  let units = 0;
  const load = (key: string, fields: string[]) =>
    step(redis.run(scripts.load, [keys.gate, key], [token, ...fields]));
  for (let from = 0; from < sale.items; from += STEP_ROWS) {
    const rows = await postgres.query<ItemRow>(sql.items, [saleId, from, from + STEP_ROWS]);
    await load(
      keys.items,
      rows.flatMap((row) => [row.id, String(row.stock - row.held)]),
    );
    await load(
      keys.names,
      rows.flatMap((row) => [row.id, row.name]),
    );
    for (const row of rows) {
      units += row.stock;
      loaded.sold += row.held;
      if (row.held === row.stock) loaded.gone++;
      await loadFree(rebuild, row);
    }
  }
  if (units !== sale.total)
    throw new Error(`sale ${saleId} has ${units} units, and its total is ${sale.total}`);
  return loaded;
}

/**
 * Units are handed out from the highest downwards: those below the lowest that is held need no list. Others are for sale above it
 * where a decision was lost with Redis' memory, or units came back.
 */
async function loadFree({ redis, postgres, saleId, keys, token }: Rebuild, row: ItemRow): Promise<void> {
  const { id, stock, held, lowest } = row;
  if (lowest === null || stock - lowest === held) return;
  for (let from = lowest + 1; from < stock; from += STEP_ROWS) {
    const below = Math.min(from + STEP_ROWS, stock);
    const rows = await postgres.query<{ unit: number }>(sql.free, [saleId, id, from, below]);
    const members = rows.flatMap(({ unit }) => ['0', `${id}@${unit}`]);
    if (members.length > 0) await step(redis.run(scripts.free, [keys.gate, keys.free], [token, ...members]));
  }
}

async function loadBought({ redis, postgres, saleId, keys, token }: Rebuild): Promise<void> {
  const rows = await postgres.query<{ user_id: string; bought: number }>(sql.bought, [saleId]);
  for (let from = 0; from < rows.length; from += STEP_ROWS) {
    const counts = rows.slice(from, from + STEP_ROWS).flatMap((row) => [row.user_id, String(row.bought)]);
    await step(redis.run(scripts.load, [keys.gate, keys.bought], [token, ...counts]));
  }
}

async function loadDecisions({ redis, postgres, saleId, keys, token }: Rebuild): Promise<void> {
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
async function loadReturns({ redis, postgres, saleId, keys, token }: Rebuild): Promise<void> {
  for await (const returns of eachReturn(postgres, saleId)) {
    const fields = returns.flatMap((each) => [String(each.number), formatReturn(each)]);
    await step(redis.run(scripts.load, [keys.gate, keys.returns], [token, ...fields]));
  }
}

async function open(
  { redis, postgres, saleId, keys: k, sale, token }: Rebuild,
  { sold, gone }: Loaded,
): Promise<void> {
  // Read behind the shut gate: a change that was answered before is among them, and none is answered until it opens.
  const [now] = await postgres.query<Facts & Record<string, unknown>>(sql.openEpoch, [saleId, sale.epoch]);
  if (now === undefined) throw new Superseded();
  const facts = [now.starts_ms, now.ends_ms, now.total, sold, now.user_limit, sale.items, gone, now.version];
  const args = [...facts, Number(now.paused)].map(String);
  const keys = [
    k.gate,
    k.sale,
    k.items,
    k.carts,
    k.codes,
    k.bought,
    k.decisions,
    k.outbox,
    k.free,
    k.returns,
  ];
  await step(redis.run(scripts.open, keys, [token, fenceOf(sale.epoch), ...args]));
}
