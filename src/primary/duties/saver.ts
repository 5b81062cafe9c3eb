import type { Log } from '../../log.ts';
import type { LiveSale } from '../../sale.ts';
import { doubtSale } from '../../store/decide.ts';
import { Unavailable } from '../../store/errors.ts';
import { fenceOf } from '../../store/fence.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Redis } from '../../store/redis.ts';
import { salvageDecisions } from '../../store/salvage.ts';

export interface SaverOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
}

/** Compares the decisions of live sales with Postgres, once each, and commits what Postgres does not have. */
export interface Saver {
  save(): Promise<void>;
  /** Has a sale, or every sale, compared once more: Postgres was away, and may have come back without its last commits. */
  again(saleId?: string): void;
}

export function createSaver({ redis, postgres, log, sales }: SaverOptions): Saver {
  const compared = new Set<string>();

  const saveOne = async (sale: LiveSale) => {
    let contradictions = 0;
    const salvaged = await salvageDecisions(redis, postgres, sale, fenceOf(sale.epoch), () => {
      contradictions++;
    });
    if (salvaged === undefined) return void compared.delete(sale.id);
    if (salvaged > 0)
      log.error({ sale: sale.id, decisions: salvaged }, 'decisions that only Redis knew were committed');
    // Only a rebuild can heal that, and counts them.
    if (contradictions > 0) await doubtSale(redis, sale);
  };

  return {
    async save() {
      const live = sales();
      for (const id of compared) if (!live.some((sale) => sale.id === id)) compared.delete(id);
      for (const sale of live.filter(({ id }) => !compared.has(id))) {
        // Whoever says "again" meanwhile is heard.
        compared.add(sale.id);
        try {
          await saveOne(sale);
        } catch (err) {
          compared.delete(sale.id);
          if (!(err instanceof Unavailable))
            log.warn({ sale: sale.id, err }, 'decisions could not be compared');
        }
      }
    },
    again(saleId) {
      if (saleId === undefined) compared.clear();
      else compared.delete(saleId);
    },
  };
}
