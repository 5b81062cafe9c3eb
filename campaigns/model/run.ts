/** One run: opens a sale, does what the script says to the stores and to the model, and closes the books. */
import assert from 'node:assert/strict';
import { generateItems } from '../../src/goods/catalogue.ts';
import type { LiveSale } from '../../src/sale.ts';
import { newCode } from '../../src/store/checkouts.ts';
import { keysOf } from '../../src/store/keys.ts';
import { createSale, isSellable } from '../../src/store/sales.ts';
import { checkPostgres, checkRedis } from './books.ts';
import { type Call, mirror } from './calls.ts';
import { type Command, type Course, type Script, STRANGER, WORKERS } from './commands.ts';
import { heldBy, heldIn } from './holdings.ts';
import { moveHours } from './hours.ts';
import { emptyMemory, type Facts, type Memory, type Records } from './model.ts';
import {
  startCarry,
  startCheckout,
  startGiveBack,
  startPurchase,
  startRebuild,
  startRetire,
  startSave,
  startSweep,
  type Task,
} from './processes.ts';
import { createModel, holdingsOf, type Model, mourn, sameFacts, servingEpoch } from './recovery.ts';
import type { ModelStores } from './stores.ts';
import { changeOf, startCarrySwitch, startMore, startSwitch } from './switch.ts';
import type { TurnstileOptions } from './turnstile.ts';
import { allUnits } from './units.ts';

const HOUR_MS = 3_600_000;
/** A sale is retired this long after its end; ended sales have ended long before. */
export const LINGER_MS = 60_000;

export interface Run {
  readonly stores: ModelStores;
  readonly script: Script;
  readonly model: Model;
  readonly turnstile: TurnstileOptions;
  /** The epoch that each worker believes the sale to be in. */
  readonly epochs: number[];
  /** Processes that were left at a call. */
  left: Task[];
  /** What Redis held after each command. */
  readonly copies: Memory[];
  /** What Postgres held after each command, but for what it has lost since. */
  readonly pasts: Records[];
}

/** Creates the sale of a script, in Postgres only. */
export async function openRun(stores: ModelStores, script: Script): Promise<Run> {
  const startsMs = Date.now() + (script.scheduled ? HOUR_MS : -10 * HOUR_MS);
  const endsMs = startsMs + 20 * HOUR_MS;
  const units = Array.from({ length: script.items }, (_, i) => script.stocks?.[i] ?? 1);
  const total = units.reduce((sum, stock) => sum + stock);
  const named = units.map((stock, i) => ({ id: `item-${i}`, name: `Item ${i}`, stock }));
  const sale = { total, userLimit: script.limit, hourly: false, ...(script.stocks && { items: named }) };
  const id = (await createSale(stores.postgres, { ...sale, startsAtMs: startsMs, endsAtMs: endsMs }))!;
  const items = script.stocks ? named : generateItems(id, script.items);
  const stocks = new Map(items.map((item, i) => [item.id, units[i] as number]));
  const facts: Facts = { startsMs, endsMs, limit: script.limit, paused: false, version: 1 };
  const model = createModel(id, facts, stocks, await stores.dataset());
  const perform = async (call: Call, send: () => Promise<unknown>) => {
    const reply = await send();
    return { reply, answer: mirror(model, call, reply) };
  };
  const turnstile = { redis: stores.redis, postgres: stores.postgres, perform, late: [] };
  return {
    stores,
    script,
    model,
    turnstile,
    epochs: Array(WORKERS).fill(0),
    left: [],
    copies: [],
    pasts: [],
  };
}

/** Does one command, and compares both stores with the model. */
export async function doCommand(run: Run, command: Command): Promise<void> {
  const { stores, model, copies } = run;
  await DOES[command.do](run, command as never);
  if ('kept' in command && command.kept) await keep(run);
  await checkRedis(stores, model);
  if (command.do !== 'checkout') await checkPostgres(stores, model);
  copies.push(structuredClone(model.memory));
  run.pasts.push(structuredClone(model.records));
  await stores.save(model.saleId, copies.length - 1);
}

/** The sale as a worker sees it. */
export const saleOf = ({ model, epochs }: Run, worker: number): LiveSale => ({
  id: model.saleId,
  startsAtMs: 0,
  endsAtMs: 0,
  total: allUnits(model.records.stocks).length,
  userLimit: model.records.facts.limit,
  hourly: false,
  epoch: epochs[worker] as number,
});

/** Takes a process as far as its course goes; one that is left at a call may be resumed. */
export async function follow(run: Run, task: Task, course?: Course): Promise<void> {
  const { process } = task;
  const [calls, fate] = course ?? [Number.POSITIVE_INFINITY, 'waits'];
  for (let i = 0; process.waits && i < calls; i++) await process.next('passes');
  if (course !== undefined && process.waits) {
    if (fate === 'waits') return void run.left.push(task);
    await process.next(fate);
    while (process.waits) await process.next('passes');
  }
  assert.ok(process.outcome, `${process.name} has come to nothing`);
  task.check(process.outcome);
}

/** Rebuilds a sale that cannot be sold, and carries on what came back, as the leader would; all workers learn of it. */
export async function keep(run: Run): Promise<void> {
  if (run.model.records.retired) return;
  await rebuildUnlessSellable(run);
  if (run.model.isUnsaved) {
    await follow(run, await startSave(run.turnstile, saleOf(run, 0)));
    await rebuildUnlessSellable(run);
    run.model.isUnsaved = false;
  }
  await carryFacts(run);
  if (run.model.memory.returns.length === run.model.records.returns.length) return;
  await follow(run, await startCarry(run.turnstile, run.model));
  await rebuildUnlessSellable(run);
  assert.deepEqual(
    run.model.memory.returns,
    run.model.records.returns,
    'returns that the leader has carried',
  );
}

/** A version of Redis that Postgres does not have is outranked first, and carried to the next time. */
async function carryFacts(run: Run): Promise<void> {
  const { model, turnstile } = run;
  for (let i = 0; i < 2 && !sameFacts(model.memory.facts, model.records.facts); i++)
    await follow(run, await startCarrySwitch(turnstile, model, saleOf(run, 0)));
  assert.deepEqual(model.memory.facts, model.records.facts, 'facts that the leader has carried');
}

async function rebuildUnlessSellable(run: Run): Promise<void> {
  const { model, stores } = run;
  const { epoch } = model.records;
  const { stocked, damaged, stocks } = model.memory;
  const isAll = allUnits(stocks).length === allUnits(model.records.stocks).length;
  const sellable = servingEpoch(model) === epoch && stocked && !damaged && isAll;
  assert.equal(await isSellable(stores.redis, { ...saleOf(run, 0), epoch }), sellable, 'isSellable');
  if (!sellable) await follow(run, await startRebuild(run.turnstile, model));
  run.epochs.fill(model.records.epoch);
}

/** The code that a command means: the newest is 0; past the oldest, one that was never given out. */
function codeAt({ model: { codes, saleId } }: Run, index: number): string {
  const back = index % (codes.length + 1);
  return codes.at(-1 - back) ?? newCode(saleId);
}

type Does = { [D in Command['do']]: (run: Run, command: Extract<Command, { do: D }>) => Promise<void> };

const DOES: Does = {
  async checkout(run, { worker, ops, course }) {
    const items = [...run.model.records.stocks.keys()];
    const idOf = (item: number) => (item === STRANGER ? 'stranger' : (items[item % items.length] as string));
    const words = ops.map(([user, item, quantity]) => [`u${user}`, idOf(item), quantity] as const);
    await follow(run, await startCheckout(run.turnstile, saleOf(run, worker), words), course);
  },
  async purchase(run, { worker, codes, course }) {
    const posted = codes.map((index) => codeAt(run, index));
    await follow(run, await startPurchase(run.turnstile, run.model, saleOf(run, worker), posted), course);
  },
  async 'give back'(run, { code, part, restock, course }) {
    const { model, turnstile } = run;
    const given = codeAt(run, code);
    const [unit] = part ? heldBy(holdingsOf(model.records), given) : [];
    await follow(
      run,
      await startGiveBack(turnstile, model, given, restock, unit ? [unit] : undefined),
      course,
    );
  },
  async switch(run, { turn, course }) {
    const change = changeOf(run.model, turn);
    if (change) await follow(run, await startSwitch(run.turnstile, run.model, change), course);
  },
  async more(run, { item, units, course }) {
    await follow(run, await startMore(run.turnstile, run.model, item, units), course);
  },
  async carry(run, { course }) {
    if (!run.model.records.retired) await follow(run, await startCarry(run.turnstile, run.model), course);
  },
  async sweep(run, { course }) {
    await follow(run, await startSweep(run.turnstile, run.model), course);
  },
  async rebuild(run, { course }) {
    if (!run.model.records.retired) await follow(run, await startRebuild(run.turnstile, run.model), course);
  },
  async retire(run, { course }) {
    if (Date.now() >= run.model.records.facts.endsMs + LINGER_MS)
      await follow(run, await startRetire(run.turnstile, run.model, LINGER_MS), course);
  },
  async resume(run, { process, course }) {
    const [task] = run.left.length > 0 ? run.left.splice(process % run.left.length, 1) : [];
    if (task) await follow(run, task, course);
  },
  async late({ turnstile: { late } }, { call }) {
    const [perform] = late.length > 0 ? late.splice(call % late.length, 1) : [];
    await perform?.();
  },
  async learn({ epochs, model }, { worker }) {
    epochs[worker] = model.records.epoch;
  },
  keep,
  async restart({ stores, model, script }) {
    await stores.restart(script.real);
    model.dataset = await stores.dataset();
  },
  async empty({ stores, model }) {
    await stores.empty();
    model.memory = emptyMemory();
    mourn(model);
  },
  async 'lose items'({ stores, model }) {
    model.memory.stocked = false;
    await stores.redis.command('DEL', keysOf(model.saleId).items);
  },
  async lose({ stores, model }, { key }) {
    const { memory } = model;
    await stores.redis.command('DEL', keysOf(model.saleId)[key]);
    const held = { bought: heldIn(memory), returns: memory.returns }[key as 'bought' | 'returns'];
    memory.damaged ||= (held?.length ?? memory[key as 'decisions' | 'outbox'].size) > 0;
    if (key === 'returns') memory.returns = [];
    else if (key !== 'bought') memory[key].clear();
    mourn(model);
  },
  async 'Postgres goes back'(run, { commands }) {
    const { stores, model, pasts, turnstile } = run;
    const { epoch, returns } = model.records;
    // What came after that is another history, to which there is no way back.
    pasts.splice(Math.max(1, pasts.length - commands));
    const past = structuredClone(pasts.at(-1) as Records);
    // Units that came are not lost: what was sold of them would be healed as a contradiction.
    model.records = { ...past, stocks: model.records.stocks };
    model.changes = [];
    if (past.facts.version < (model.held?.version ?? 0)) model.held = undefined;
    await stores.loseCommits(model.saleId, model.records);
    model.isOlder = true;
    model.isUnsaved = true;
    // A failover takes seconds: rebuilds and retirements under way fail with it, and what Redis was late with is done.
    run.left = run.left.filter(
      ({ process }) => !['rebuild', 'retire', 'switch', 'more'].includes(process.name),
    );
    turnstile.late.length = 0;
    mourn(model);
    // An epoch that has ended would accept commits again, and units that came back would have two buyers. The leader looks five times a
    // second; what a worker commits before that is healed as a contradiction, of which the model has none
    // (test/store/contradictions.test.ts). What is bought before that by a limit that Postgres has lost is over the one it has.
    const { facts } = model.memory;
    const isLower = facts !== undefined && model.records.facts.limit < facts.limit;
    if (model.records.epoch < epoch || model.records.returns.length < returns.length || isLower)
      await keep(run);
  },
  async 'go back'({ stores, model, copies }, { commands }) {
    const copy = Math.max(0, copies.length - 1 - commands);
    model.memory = structuredClone(copies[copy] as Memory);
    await stores.goBack(model.saleId, copy);
    model.dataset = await stores.dataset();
    mourn(model);
  },
  async begin(run) {
    if (Date.now() < run.model.records.facts.startsMs)
      await moveHours(run, { startsMs: Date.now() - HOUR_MS });
  },
  async end(run) {
    await moveHours(run, { startsMs: Date.now() - 10 * HOUR_MS, endsMs: Date.now() - HOUR_MS });
  },
};
