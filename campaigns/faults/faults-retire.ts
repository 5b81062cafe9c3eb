import { setTimeout as sleep } from 'node:timers/promises';
import { LINGER_MS } from '../../src/primary/duties/retirer.ts';
import { listUnsold, withPostgres } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { createHistory } from './history.ts';
import { newAgent } from './http.ts';
import { checkout, purchase, type Target } from './operations.ts';
import { createSale } from './run.ts';
import { until } from './until.ts';

const BUYERS = 5;
const ENDS_IN_MS = 4_000;
/** Later, and the sale may be gone; sooner, and the audit of each minute may find it first. */
const BEFORE_MS = 1_500;

const LOSE_SQL = `with gone as (delete from purchases where code = any($1)) delete from decisions where code = any($1)`;

/**
 * Postgres loses commits of a sale that is over, and nobody hears of it: a standby was promoted behind a pooler. It happens right
 * before the sale is retired, when Redis has the last copy of them.
 */
async function loseBeforeRetiring({ stand, target, clock, violate }: FaultContext): Promise<void> {
  const { databaseUrl } = stand.direct();
  const saleId = await createSale(stand, 4 * BUYERS, ENDS_IN_MS);
  const endedMs = Date.now() + ENDS_IN_MS;
  const over: Target = { ...target, saleId, history: createHistory() };
  const items = await listUnsold(databaseUrl, saleId);
  const agent = newAgent(BUYERS);
  const buy = async (n: number) => {
    const user = `early-${n}`;
    const { code } = await checkout(over, agent, user, items[n] as string);
    const bought = code === undefined ? undefined : await purchase(over, agent, user, code);
    return bought?.receipt ? [code as string] : [];
  };
  const codes = (await Promise.all(Array.from({ length: BUYERS }, (_, n) => buy(n)))).flat();
  agent.destroy();
  if (codes.length === 0) throw new Error('nothing could be bought');

  await sleep(endedMs + LINGER_MS - BEFORE_MS - Date.now());
  clock();
  const isRetired = () =>
    withPostgres(databaseUrl, async (client) => {
      const { rows } = await client.query('select retired from sales where id = $1', [saleId]);
      return rows[0].retired as boolean;
    });
  await withPostgres(databaseUrl, (client) => client.query(LOSE_SQL, [codes]));
  await until(isRetired, 'the sale is retired', LINGER_MS, 250);
  const { rows } = await withPostgres(databaseUrl, (client) =>
    client.query('select code from decisions where code = any($1)', [codes]),
  );
  for (const code of codes)
    if (!rows.some((row) => row.code === code)) violate('lost', `${code} went with its sale`);
}

export const retireFaults: readonly Fault[] = [
  { name: 'postgres-older-retire', stands: ['private'], inject: loseBeforeRetiring },
];
