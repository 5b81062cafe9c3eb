/** What the service does with a sale, as processes of one run; each is checked against the model when it ends. */
import assert from 'node:assert/strict';
import type { LiveSale } from '../../src/sale.ts';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { sweepOutbox } from '../../src/store/outbox.ts';
import { createPurchases, type PurchaseResult } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { retireSale } from '../../src/store/retire.ts';
import { carryReturns, giveBack, shelveReturns } from '../../src/store/returns.ts';
import { saveSale } from '../../src/store/save.ts';
import { givenOf } from './books.ts';
import type { Given } from './holdings.ts';
import type { CheckoutAnswer, PurchaseAnswer } from './model.ts';
import { acknowledge, isGiven, type Model } from './recovery.ts';
import { type Met, type Outcome, type Process, startProcess, type TurnstileOptions } from './turnstile.ts';
import { allUnits } from './units.ts';

/** A process with what it must come to, given what its calls have met. */
export interface Task {
  readonly process: Process;
  /** Throws when it came to something else. Called once, as soon as the process has ended. */
  readonly check: (outcome: Outcome) => void;
}

const find = (met: readonly Met[], name: string): Met | undefined => met.find((call) => call.name === name);
const passed = (call: Met | undefined): call is Met => call?.fate === 'passes';
const isLost = (call: Met) => call.fate !== 'passes';
const refuse = () => assert.fail('Postgres refuses a decision of the outbox');

/** Puts items into carts in one batch; `ops` are [user, item, quantity]. */
export async function startCheckout(
  stores: TurnstileOptions,
  sale: LiveSale,
  ops: readonly (readonly [string, string, (number | undefined)?])[],
): Promise<Task> {
  const process = await startProcess('checkout', stores, (redis) => {
    const checkouts = createCheckouts(redis, () => sale);
    return Promise.all(ops.map(([userId, itemId, quantity]) => checkouts.add({ userId, itemId, quantity })));
  });
  const expected = (): Outcome => {
    const call = find(process.met, 'lua/checkout');
    if (!passed(call)) return { thrown: 'Unanswered' };
    return call.answer === 'fenced'
      ? { thrown: 'Fenced' }
      : { value: call.answer as readonly CheckoutAnswer[] };
  };
  return { process, check: (outcome) => assert.deepEqual(outcome, expected()) };
}

/** Buys the carts of these codes in one batch; a code may come twice. */
export async function startPurchase(
  stores: TurnstileOptions,
  model: Model,
  sale: LiveSale,
  posted: readonly string[],
): Promise<Task> {
  const process = await startProcess('purchase', stores, (redis, postgres) => {
    const purchases = createPurchases({
      ...{ redis, postgres, sale: () => sale, onError: () => {} },
      forgetAfterMs: 0,
    });
    return Promise.all(posted.map((code) => purchases.add(code)));
  });
  const check = (outcome: Outcome) => {
    const results = 'value' in outcome ? { value: (outcome.value as PurchaseResult[]).map(seen) } : outcome;
    assert.deepEqual(results, expectedPurchase(process.met, posted));
    if (!('value' in results)) return;
    results.value.forEach(({ decision }, i) => {
      if (decision !== undefined) acknowledge(model, posted[i] as string, decision);
    });
  };
  return { process, check };
}

const seen = (result: PurchaseResult): PurchaseAnswer =>
  'decision' in result
    ? { outcome: result.outcome, decision: { user: result.decision.userId, lines: result.decision.lines } }
    : result;

/** What was decided is answered once its commit is known, and is unknown without that. */
function expectedPurchase(met: readonly Met[], posted: readonly string[]) {
  const decided = find(met, 'lua/purchase');
  if (!passed(decided)) return { value: posted.map(() => ({ outcome: 'unknown' })) };
  if (decided.answer === 'fenced') return { thrown: 'Fenced' };
  const commit = find(met, 'sql/commit_purchases');
  const read = find(met, 'sql/find_decisions');
  const known = passed(commit) && commit.answer === true && (read === undefined || passed(read));
  const codes = [...new Set(posted)];
  const value = posted.map((code, i): PurchaseAnswer => {
    const answer = (decided.answer as PurchaseAnswer[])[codes.indexOf(code)] as PurchaseAnswer;
    if (answer.decision === undefined) return answer;
    if (!known) return { outcome: 'unknown' };
    return posted.indexOf(code) === i ? answer : { ...answer, outcome: 'decided-before' };
  });
  return { value };
}

/** Commits what is left in the outbox, whatever its age. */
export async function startSweep(stores: TurnstileOptions, model: Model): Promise<Task> {
  const { saleId, records } = model;
  const process = await startProcess('sweep', stores, (redis, postgres) =>
    sweepOutbox(redis, postgres, { id: saleId, epoch: records.epoch }, 0, refuse),
  );
  const check = (outcome: Outcome) => {
    const lost = process.met.some(isLost);
    assert.equal('thrown' in outcome ? outcome.thrown : undefined, lost ? 'Unanswered' : undefined);
  };
  return { process, check };
}

/** Rebuilds the sale; what it comes to follows from the first step that was refused or lost. */
export async function startRebuild(stores: TurnstileOptions, model: Model): Promise<Task> {
  const { highest: above } = model;
  const process = await startProcess('rebuild', stores, (redis, postgres) =>
    rebuildSale(redis, postgres, model.saleId, refuse, above),
  );
  const expected = (): Outcome => {
    const { met } = process;
    const { name, answer, ...last } = met.at(-1) as Met;
    const begun = find(met, 'sql/bump_epoch')?.answer as { epoch: number } | undefined;
    const size = find(met, 'sql/sale_size')?.answer as Sized | undefined;
    const doubted = (find(met, 'lua/rebuild_begin')?.answer as number[] | undefined)?.[1] === 1;
    if (last.fate !== 'passes') return { thrown: 'Unanswered' };
    if (name === 'lua/rebuild_open' && answer !== -1)
      return answer === 1
        ? { value: { epoch: begun?.epoch, doubted, ...savedIn(met) } }
        : { thrown: 'a rebuild step failed: -2' };
    if (isSuperseded(answer)) return { value: undefined };
    const units = unitsRead(met);
    // Units came meanwhile.
    if (name === 'sql/open_epoch' && (answer as Sized).total !== size?.total) return { value: undefined };
    if (name !== 'sql/open_epoch' && units !== undefined && units !== size?.total)
      return { thrown: `sale ${model.saleId} has ${units} units, and its total is ${size?.total}` };
    return { value: `${name} was the last step` };
  };
  return { process, check: (outcome) => assert.deepEqual(outcome, expected()) };
}

interface Sized {
  /** Units of the sale. */
  readonly total: number;
}

/** Units of the items that a rebuild has read. */
function unitsRead(met: readonly Met[]): number | undefined {
  const items = find(met, 'sql/rebuild_items')?.answer as { readonly stock: number }[] | undefined;
  return items?.reduce((sum, { stock }) => sum + stock, 0);
}

/** What was in Redis alone: returns and their decisions, in transactions of their own, and then the other decisions. */
function savedIn(met: readonly Met[]): { salvaged: number; returns: number } {
  const ran = met.flatMap(({ name, answer }) =>
    name === 'transaction/returns' ? (answer as RanAnswer[]) : [],
  );
  const returns = ran.flatMap((each) => (each.name === 'sql/note_returns' ? (each.answer as number) : []));
  const decisions = ran.flatMap((each) =>
    each.name === 'sql/commit_purchases' ? (each.values[2] as string[]) : [],
  );
  const rest = met.slice(met.findIndex(({ name }) => name === 'lua/leftover') + 1);
  return { salvaged: decisions.length + salvagedIn(rest), returns: returns.reduce((sum, n) => sum + n, 0) };
}

interface RanAnswer {
  readonly name: string;
  readonly values: readonly unknown[];
  readonly answer: unknown;
}

/** Decisions that were in Redis alone: what is missing is asked for again, without what waits in the outbox. */
function salvagedIn(met: readonly Met[]): number {
  const [, alone] = met.filter(({ name }) => name === 'sql/uncommitted_codes');
  return (alone?.answer as readonly string[] | undefined)?.length ?? 0;
}

/** Commits what only Redis knows, as the leader does after Postgres was away; lost returns have the gate shut. */
export async function startSave(stores: TurnstileOptions, sale: LiveSale): Promise<Task> {
  const process = await startProcess('save', stores, (redis, postgres) =>
    saveSale(redis, postgres, sale, refuse),
  );
  const check = (outcome: Outcome) => {
    const isDoubted = find(process.met, 'lua/doubt') !== undefined;
    assert.deepEqual(outcome, { value: isDoubted ? 'doubted' : salvagedIn(process.met) });
  };
  return { process, check };
}

/** Takes back what a code holds, or lines of it, and puts it on the shelf. What was taken back is answered. */
export async function startGiveBack(
  stores: TurnstileOptions,
  model: Model,
  code: string,
  restock: boolean,
  lines?: readonly string[],
): Promise<Task> {
  const { saleId: id } = model;
  const codes = [{ code, ...(lines && { lines }) }];
  const process = await startProcess('give back', stores, async (redis, postgres) => {
    const given = await giveBack(postgres, { saleId: id, kind: 'cancelled', restock, codes });
    if (given === undefined) return 'busy';
    await shelveReturns(redis, postgres, { id, epoch: given.epoch }, given.returns[0]?.number);
    return given.returns.map((each) => givenOf(each.code, restock, each.lines));
  });
  const check = (outcome: Outcome) => {
    const answer = find(process.met, 'sql/give_back')?.answer as readonly Given[] | undefined;
    const expected = process.met.some(isLost) ? { thrown: 'Unanswered' } : { value: answer ?? 'busy' };
    assert.deepEqual(outcome, expected);
    // Postgres may have lost the commit after it was seen.
    const isThere = (given: Given) => !model.isOlder || isGiven(model.records.returns, given);
    if ('value' in outcome && answer) model.answered.push(...answer.filter(isThere));
  };
  return { process, check };
}

/** Brings Redis to all returns, as the leader does. */
export async function startCarry(stores: TurnstileOptions, model: Model): Promise<Task> {
  const { saleId, records } = model;
  const last = records.returns.length;
  const process = await startProcess('carry', stores, (redis, postgres) =>
    carryReturns(redis, postgres, { id: saleId, epoch: records.epoch }, last),
  );
  const check = (outcome: Outcome) => {
    const lost = process.met.some(isLost);
    assert.equal('thrown' in outcome ? outcome.thrown : undefined, lost ? 'Unanswered' : undefined);
  };
  return { process, check };
}

/** Whether a step says that a rebuild has no business any more. */
const isSuperseded = (answer: unknown): boolean => !answer || answer === -1;

/** Removes the keys of the sale once it is over. */
export async function startRetire(stores: TurnstileOptions, model: Model, afterMs: number): Promise<Task> {
  const { saleId: id, records } = model;
  const { endsMs: endsAtMs, version } = records.facts;
  const facts = { id, epoch: records.epoch, total: allUnits(records.stocks).length, version };
  const process = await startProcess('retire', stores, (redis, postgres) =>
    retireSale(
      redis,
      postgres,
      { ...facts, endsAtMs },
      { afterMs, onContradiction: refuse, onSalvaged: () => {}, onDifferences: () => {} },
    ),
  );
  const check = (outcome: Outcome) => {
    const expected = process.met.some(isLost)
      ? { thrown: 'Unanswered' }
      : { value: find(process.met, 'lua/retire')?.answer === 1 };
    assert.deepEqual(outcome, expected);
  };
  return { process, check };
}
