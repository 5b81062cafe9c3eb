import type { Log } from '../../log.ts';
import { type LiveSale, type SaleState, stateOf } from '../../sale.ts';
import type { Redis } from '../../store/redis.ts';
import { countSold } from '../../store/sales.ts';

export interface LifecycleOptions {
  readonly redis: Redis;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
}

type Stage = Exclude<SaleState, 'active'> | 'open' | 'sold out';

/** Logs when a sale begins, is paused, is sold out, and ends; it only watches. */
export function createLifecycle({ redis, log, sales }: LifecycleOptions): () => Promise<void> {
  const stages = new Map<string, Stage>();

  const stageOf = async (sale: LiveSale, nowMs: number): Promise<Stage> => {
    const state = stateOf(sale, nowMs);
    if (state !== 'active') return state;
    const sold = await countSold(redis, sale.id);
    // While Redis does not have the sale, the stage is unknown.
    if (sold === undefined) return stages.get(sale.id) ?? 'open';
    return sold === sale.total ? 'sold out' : 'open';
  };

  return async () => {
    const live = sales();
    for (const sale of live) {
      // Where its Redis is away, that of other sales may not be.
      const stage = await stageOf(sale, Date.now()).catch(() => undefined);
      const before = stages.get(sale.id);
      if (stage === undefined || before === stage) continue;
      stages.set(sale.id, stage);
      // A sale that opened and sold out since the last look was open too.
      const passed = stage === 'sold out' && before !== 'open' ? (['open', stage] as const) : [stage];
      for (const each of passed)
        if (each !== 'scheduled') log.info({ sale: sale.id, items: sale.total }, `sale ${each}`);
    }
    for (const id of stages.keys()) if (!live.some((sale) => sale.id === id)) stages.delete(id);
  };
}
