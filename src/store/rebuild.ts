import type { OnContradiction } from './commit.ts';
import { forgetEntries } from './decide.ts';
import { Unavailable } from './errors.ts';
import { epochNamedBy, fenceOf, tokenOf } from './fence.ts';
import { keysOf } from './keys.ts';
import {
  type Epochs,
  type Loaded,
  loadBought,
  loadDecisions,
  loadItems,
  loadReturns,
  type Rebuild,
  type Size,
  Superseded,
  step,
} from './load-sale.ts';
import { type SavedReturns, saveReturns } from './lost-returns.ts';
import { commitEntries, readOutbox } from './outbox.ts';
import { type Postgres, statement } from './postgres.ts';
import { type Redis, script } from './redis.ts';
import { salvageDecisions } from './salvage.ts';
import { FENCED } from './statuses.ts';

const scripts = {
  begin: script('rebuild_begin'),
  clear: script('rebuild_clear'),
  open: script('rebuild_open'),
};
const sql = {
  bumpEpoch: statement('bump_epoch'),
  openEpoch: statement('open_epoch'),
  size: statement('sale_size'),
};

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
 * Returns undefined when a later rebuild took over, units came meanwhile, or the sale is retired. Throws Unavailable or Unanswered when a store
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
  const [begun] = await postgres.query<Epochs & Record<string, unknown>>(sql.bumpEpoch, [
    saleId,
    Math.max(above, epochNamedBy(gate ?? '')),
  ]);
  if (begun === undefined) return undefined;
  const [size] = await postgres.query<Size & Record<string, unknown>>(sql.size, [saleId]);
  const sale = { ...begun, ...(size as Size) };
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
async function open(
  { redis, postgres, saleId, keys: k, sale, token }: Rebuild,
  { sold, gone }: Loaded,
): Promise<void> {
  // Read behind the shut gate: a change that was answered before is among them, and none is answered until it opens.
  const [now] = await postgres.query<Facts & Record<string, unknown>>(sql.openEpoch, [saleId, sale.epoch]);
  // Items or units that came after they were read are not in Redis: the next rebuild reads them.
  if (now === undefined || now.total !== sale.total) throw new Superseded();
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
