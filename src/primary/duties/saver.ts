import type { Log } from '../../log.ts';
import type { LiveSale } from '../../sale.ts';
import { doubtSale } from '../../store/decide.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Redis } from '../../store/redis.ts';
import { saveSale } from '../../store/save.ts';
import { forEachSale } from './each-sale.ts';
import type { OnSalvaged } from './salvaged.ts';

export interface SaverOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
  readonly onSalvaged: OnSalvaged;
}

/** Compares the decisions and returns of live sales with Postgres, once each, and has saved what Postgres does not have. */
export interface Saver {
  save(): Promise<void>;
  /** Has a sale, or every sale, compared once more: Postgres was away, and may have come back without its last commits. */
  again(saleId?: string): void;
}

export function createSaver({ redis, postgres, log, sales, onSalvaged }: SaverOptions): Saver {
  const compared = new Set<string>();

  /** Returns whether all of it was compared. */
  const saveOne = async (sale: LiveSale): Promise<boolean> => {
    let contradictions = 0;
    const salvaged = await saveSale(redis, postgres, sale, () => {
      contradictions++;
    });
    if (salvaged === undefined) return false;
    if (salvaged === 'doubted') return true;
    onSalvaged(sale.id, salvaged);
    // Only a rebuild can heal that, and counts them.
    if (contradictions > 0) await doubtSale(redis, sale);
    return true;
  };

  return {
    async save() {
      const live = sales();
      for (const id of compared) if (!live.some((sale) => sale.id === id)) compared.delete(id);
      const waiting = live.filter(({ id }) => !compared.has(id));
      await forEachSale(log, waiting, 'decisions could not be compared', async (sale) => {
        // Whoever says "again" meanwhile is heard.
        compared.add(sale.id);
        let isDone = false;
        try {
          isDone = await saveOne(sale);
        } finally {
          if (!isDone) compared.delete(sale.id);
        }
      });
    },
    again(saleId) {
      if (saleId === undefined) compared.clear();
      else compared.delete(saleId);
    },
  };
}
