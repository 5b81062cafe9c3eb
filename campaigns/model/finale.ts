/** The end of a run: everything heals, the rest is sold, and the books are closed. */
import assert from 'node:assert/strict';
import { auditSale } from '../../src/store/audit/audit.ts';
import { itemOf, receiptOf, unitsOf } from '../../src/store/decision.ts';
import { findDecision } from '../../src/store/receipts.ts';
import { countSold } from '../../src/store/sales.ts';
import { checkPostgres, checkRedis } from './books.ts';
import type { Script } from './commands.ts';
import { takenIn } from './holdings.ts';
import { startCheckout, startPurchase, startSweep } from './processes.ts';
import { holdingsOf } from './recovery.ts';
import { doCommand, follow, keep, openRun, type Run, saleOf } from './run.ts';
import type { ModelStores } from './stores.ts';
import { allUnits } from './units.ts';

/** Runs a script from the sale's creation to its closed books; throws where stores and model differ. */
export async function runScript(stores: ModelStores, script: Script): Promise<void> {
  const run = await openRun(stores, script);
  await doCommand(run, { do: 'keep' });
  for (const command of script.commands) await doCommand(run, command);

  for (const task of script.finish ? run.left.splice(0) : []) await follow(run, task);
  await heal(run);
  if (!run.model.records.retired) {
    if (run.model.records.facts.paused) await doCommand(run, { do: 'switch', turn: 'resume' });
    await resolveUnknowns(run);
    if (isOpen(run)) await sellTheRest(run);
  }
  await closeBooks(run);
}

const isOpen = ({ model: { records } }: Run) =>
  Date.now() >= records.facts.startsMs && Date.now() < records.facts.endsMs;

/** The leader keeps the sale and sweeps: afterwards nothing waits. */
async function heal(run: Run): Promise<void> {
  const { model, turnstile } = run;
  if (model.records.retired) return;
  await keep(run);
  await follow(run, await startSweep(turnstile, model));
  assert.equal(model.memory.outbox.size, 0, 'decisions are left in the outbox');
}

/** Every code is posted once more, twice over: each has its one outcome now, and says it. */
async function resolveUnknowns(run: Run): Promise<void> {
  const { model, turnstile } = run;
  if (model.codes.length === 0) return;
  for (let i = 0; i < 2; i++)
    await follow(run, await startPurchase(turnstile, model, saleOf(run, 0), model.codes));
}

/** I4: whatever is not sold can be bought, down to the last unit. */
async function sellTheRest(run: Run): Promise<void> {
  const { model, turnstile } = run;
  const { stocks } = model.records;
  const units = allUnits(stocks);
  const sold = takenIn(holdingsOf(model.records));
  const rest = units.filter((unit) => !sold.includes(unit));
  if (rest.length > 0) {
    const ops = rest.map((unit, i) => [`rest${i}`, unit.split('@')[0] as string] as const);
    const before = model.codes.length;
    await follow(run, await startCheckout(turnstile, saleOf(run, 1), ops));
    await follow(run, await startPurchase(turnstile, model, saleOf(run, 1), model.codes.slice(before)));
  }
  assert.deepEqual(
    takenIn({ decisions: model.acknowledged, returns: model.records.returns }).sort(),
    units.sort(),
    'every unit is sold, and answered',
  );
  await follow(
    run,
    await startCheckout(turnstile, saleOf(run, 0), [['late', [...stocks.keys()][0] as string]]),
  );
}

async function closeBooks({ stores, model }: Run): Promise<void> {
  const { redis, postgres } = stores;
  const { saleId, records } = model;
  await checkRedis(stores, model);
  await checkPostgres(stores, model);
  assert.deepEqual(await auditSale(redis, postgres, saleId), [], 'the audit');
  if (!records.retired) assert.equal(await countSold(redis, saleId), takenIn(holdingsOf(records)).length);
  for (const [code, { lines }] of model.acknowledged) {
    const found = await findDecision(postgres, code);
    assert.ok(found, `the decision of ${code}`);
    const { purchased_items: items } = receiptOf(found.decision.lines, found.names);
    const told = items.map(({ id, sold, quantity = 1 }) => [id, sold ? quantity : 0]);
    const right = lines.map((line) => [itemOf(line), unitsOf(line).length]);
    assert.deepEqual(told, right, `the receipt of ${code}`);
  }
}
