import type { LiveSale } from '../sale.ts';
import { auditSale, type Difference } from './audit/audit.ts';
import type { OnContradiction } from './commit.ts';
import { doubtSale } from './decide.ts';
import { fenceOf } from './fence.ts';
import { keysOf, queueKeysOf } from './keys.ts';
import { type Postgres, statement } from './postgres.ts';
import { type Redis, script } from './redis.ts';
import { isSellable } from './sales.ts';
import { saveSale } from './save.ts';

const retire = script('retire');
const sql = {
  count: statement('count_decisions'),
  lock: statement('lock_sale'),
  note: statement('retire_sale'),
};

export interface RetireOptions {
  /** Milliseconds that must have passed since the end, by Redis' clock. */
  readonly afterMs: number;
  readonly onContradiction: OnContradiction;
  /** Called with the number of decisions that Redis alone knew, which may be 0. */
  readonly onSalvaged: (decisions: number) => void;
  readonly onDifferences: (differences: readonly Difference[]) => void;
  /** Called right before the keys go: who finds them missing from then on should not wonder. */
  readonly beforeRemoval?: () => void;
  /** Awaited between parts of the audit; see `auditSale`. */
  readonly rest?: () => Promise<void>;
}

/**
 * Removes a sale's keys from Redis once it is over and its outbox is empty, and notes it in Postgres. Redis' decisions are
 * the last copy of what a Postgres that came back older has lost: before they go, Postgres gets what it has not, and the
 * sale is audited once more. With a difference nothing goes; the gate is shut, so that the sale is rebuilt first.
 * Returns whether it is done. Throws as `Redis.run` and `Postgres.query` do.
 */
export async function retireSale(
  redis: Redis,
  postgres: Postgres,
  sale: Pick<LiveSale, 'id' | 'epoch' | 'total' | 'endsAtMs' | 'version'>,
  { afterMs, onContradiction, onSalvaged, onDifferences, beforeRemoval, rest }: RetireOptions,
): Promise<boolean> {
  const [seconds] = (await redis.commandAt(keysOf(sale.id).gate, 'TIME')) as [string];
  // What is not whole is rebuilt first.
  if (Number(seconds) * 1_000 < sale.endsAtMs + afterMs || !(await isSellable(redis, sale))) return false;
  const fence = fenceOf(sale.epoch);
  const salvaged = await saveSale(redis, postgres, sale, onContradiction);
  if (salvaged === undefined || salvaged === 'doubted') return false;
  onSalvaged(salvaged);
  const differences = await auditSale(redis, postgres, sale.id, rest);
  if (differences.length > 0) {
    onDifferences(differences);
    await doubtSale(redis, sale);
    return false;
  }
  beforeRemoval?.();
  const { gate, outbox, decisions, sale: hash, ...others } = keysOf(sale.id);
  const keys = [
    gate,
    outbox,
    decisions,
    hash,
    ...Object.values(others),
    ...Object.values(queueKeysOf(sale.id)),
  ];
  // Whether Postgres has gone back since it was compared.
  const [count] = await postgres.query<{ decisions: number }>(sql.count, [
    `CHK-${sale.id}-`,
    `CHK-${sale.id}.`,
  ]);
  const { version = 1 } = sale;
  const args = [fence, sale.endsAtMs, afterMs, count?.decisions ?? -1, version].map(String);
  if ((await redis.run(retire, keys, args)) !== 1) return false;
  await postgres.transaction('sales', async (client) => {
    // A return that was under way is counted: what is read after the lock includes it, and later ones correct the count.
    await client.query({ ...sql.lock, values: [sale.id] });
    await client.query({ ...sql.note, values: [sale.id, version] });
  });
  return true;
}
