import { keysOf } from '../../src/store/keys.ts';
import type { Facts } from './model.ts';
import type { Run } from './run.ts';

/** Time passes: the hours move in every store and in all that was, and nothing else happens. */
export async function moveHours(run: Run, change: { startsMs?: number; endsMs?: number }): Promise<void> {
  const { model, stores } = run;
  // A change that is under way has read the hours, and would bring the old ones back under its own version: time does not do that.
  if (run.left.some(({ process }) => process.name.includes('switch'))) return;
  const { records, memory, saleId } = model;
  const moved = (facts: Facts): Facts => ({ ...facts, startsMs, endsMs });
  const { startsMs, endsMs } = { ...records.facts, ...change };
  for (const each of [records, ...run.pasts]) each.facts = moved(each.facts);
  model.held &&= moved(model.held);
  model.changes = model.changes.map(moved);
  await stores.sql(
    'update sales set starts_at = to_timestamp($2::float8 / 1000), ends_at = to_timestamp($3::float8 / 1000) where id = $1',
    saleId,
    startsMs,
    endsMs,
  );
  if (memory.facts === undefined) return;
  memory.facts = moved(memory.facts);
  const fields = ['starts_ms', String(startsMs), 'ends_ms', String(endsMs)];
  await stores.redis.command('HSET', keysOf(saleId).sale, ...fields);
}
