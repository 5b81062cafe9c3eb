/** The operator's hand on a sale: its changes, and the items and units that come, in the stores and in the model. */
import assert from 'node:assert/strict';
import type { LiveSale } from '../../src/sale.ts';
import { addItems } from '../../src/store/more-items.ts';
import { carrySale, changeSale, holdSale, type StoredSale } from '../../src/store/switch.ts';
import { agree, type Does, gateOf, readsOnly } from './agree.ts';
import type { Turn } from './commands.ts';
import type { Facts } from './model.ts';
import type { Task } from './processes.ts';
import { type Model, sameFacts } from './recovery.ts';
import { type Met, type Outcome, startProcess, type TurnstileOptions } from './turnstile.ts';
import { allUnits } from './units.ts';

/** What an operator asks for; a limit is only ever raised. */
export type Change = Partial<Pick<Facts, 'paused' | 'limit' | 'endsMs'>>;

const UNITS_MAX = 1_000;
const EXTENSION_MS = 36_000_000;
/** Its loss is borne: then the clock is Postgres'. */
const isLost = ({ name, fate }: Met) => fate !== 'passes' && name !== 'TIME';

const factsIn = (row: Record<string, unknown> | undefined): Facts => ({
  startsMs: row?.starts_ms as number,
  endsMs: row?.ends_ms as number,
  limit: row?.user_limit as number,
  paused: row?.paused as boolean,
  version: row?.version as number,
});

/** The facts that words say, in the order of the fields. */
export const factsOf = ([version, startsMs, endsMs, limit, paused]: readonly (
  | string
  | undefined
)[]): Facts => ({
  ...{ version: Number(version), startsMs: Number(startsMs), endsMs: Number(endsMs) },
  ...{ limit: Number(limit), paused: paused === '1' },
});

/** Brings Redis to facts, unless it has later ones. */
function bring({ memory, dataset }: Model, [fence, ...words]: readonly string[]): number {
  if (memory.gate !== gateOf({ dataset }, fence) || memory.facts === undefined) return -1;
  const facts = factsOf(words);
  if (memory.facts.version > facts.version) return memory.facts.version;
  memory.facts = facts;
  return facts.version;
}

/** Postgres has these facts from now on. */
function note(model: Model, facts: Facts): void {
  model.records.facts = facts;
  model.changes.push(facts);
}

function change(model: Model, args: readonly unknown[]): { version: number }[] {
  const { records } = model;
  const [, version, paused, starts, ends, limit] = args as [string, number, boolean, Date, Date, number];
  if (records.retired || records.facts.version !== version) return [];
  const facts = { startsMs: starts.getTime(), endsMs: ends.getTime(), limit, paused, version: version + 1 };
  note(model, facts);
  model.limitMax = Math.max(model.limitMax, limit);
  return [{ version: facts.version }];
}

function grow({ records }: Model, ids: readonly string[], stocks: readonly number[]): void {
  records.stocks = new Map([...records.stocks, ...ids.map((id, i) => [id, stocks[i] as number] as const)]);
}

export const SWITCH_DOES: Record<string, Does> = {
  'lua/switch': (model, args, reply) => agree(bring(model, args), reply, 'switch'),
  'sql/sale_facts'({ records }, _args, reply) {
    const [row] = reply as Record<string, unknown>[];
    assert.ok(sameFacts(records.facts, factsIn(row)), 'the answer to sale_facts');
    return reply;
  },
  'sql/change_sale': (model, args, reply) => agree(change(model, args), reply, 'change_sale'),
  'sql/raise_version'(model, [id, held], reply) {
    const { facts } = model.records;
    const raises = facts.version < Number(held);
    if (raises) note(model, { ...facts, version: Number(held) + 1 });
    return agree(raises ? [{ id }] : [], reply, 'raise_version');
  },
  'sql/lock_for_items': readsOnly,
  'sql/item_stocks': readsOnly,
  'sql/insert_items'(model, args) {
    const [, , ids, , , , , stocks] = args as unknown as [string, number, string[], ...number[][]];
    grow(model, ids, stocks as number[]);
  },
  'sql/raise_stocks'(model, args) {
    const [, ids, stocks] = args as unknown as [string, string[], number[]];
    grow(model, ids, stocks);
  },
  'sql/raise_total'(model) {
    const { facts } = model.records;
    note(model, { ...facts, version: facts.version + 1 });
  },
};

/** What a turn of the switch asks for now; undefined where the state of the sale forbids it. */
export function changeOf({ records: { facts } }: Model, turn: Turn): Change | undefined {
  const nowMs = Date.now();
  if (turn === 'pause' || turn === 'resume') return { paused: turn === 'pause' };
  if (turn === 'limit') return { limit: facts.limit + 1 };
  if (turn === 'extend') return { endsMs: Math.max(nowMs, facts.startsMs) + EXTENSION_MS };
  return nowMs < facts.startsMs ? undefined : { endsMs: nowMs - 1 };
}

/** Changes a sale, and waits until Redis holds it; a gate that is shut is not waited for. What holds is answered. */
export async function startSwitch(stores: TurnstileOptions, model: Model, asked: Change): Promise<Task> {
  const judge = (sale: StoredSale) => {
    const { paused = sale.paused, limit = sale.userLimit, endsMs = sale.endsAtMs } = asked;
    const facts = { ...sale, paused, userLimit: Math.max(limit, sale.userLimit), endsAtMs: endsMs };
    return sale.retired ? { refused: 'retired' as const } : { facts };
  };
  const process = await startProcess('switch', stores, async (redis, postgres) => {
    const changed = await changeSale(redis, postgres, model.saleId, judge, false);
    if (changed === undefined || 'refused' in changed) return 'refused';
    await holdSale(redis, postgres, changed, 0);
    return changed.version;
  });
  const check = (outcome: Outcome) => {
    if (process.met.some(isLost)) return assert.deepEqual(outcome, { thrown: 'Unanswered' });
    const last = process.met.at(-1) as Met;
    if ('thrown' in outcome) {
      assert.deepEqual([outcome.thrown, last.name, last.answer], ['Unavailable', 'lua/switch', -1]);
    } else if (outcome.value === 'refused') assert.ok(model.records.retired, 'a change was refused');
    else hold(model, outcome.value as number);
  };
  return { process, check };
}

/** An operator has heard that a change holds: from now on nobody decides by older facts. */
function hold(model: Model, version: number): void {
  const { memory, records, changes } = model;
  // The books of a sale may have been closed meanwhile.
  if (records.retired) return;
  const { facts } = memory;
  const since = changes.slice(changes.findIndex((each) => each.version === version));
  const holds = facts && since.some((each) => sameFacts(each, facts));
  assert.ok(holds, 'a change is answered, and Redis holds neither it nor a later one');
  model.held = facts;
}

/** Brings Redis to the facts of the sale, as the leader does. */
export async function startCarrySwitch(
  stores: TurnstileOptions,
  model: Model,
  sale: LiveSale,
): Promise<Task> {
  const { startsMs, endsMs, limit, paused, version } = model.records.facts;
  const facts = { startsAtMs: startsMs, endsAtMs: endsMs, userLimit: limit, paused, version };
  const process = await startProcess('carry switch', stores, (redis, postgres) =>
    carrySale(redis, postgres, { ...sale, ...facts }),
  );
  return { process, check: (outcome) => assert.ok('value' in outcome) };
}

/** Adds units to an item of the sale, or a new item. */
export async function startMore(
  stores: TurnstileOptions,
  model: Model,
  item: number,
  units: number,
): Promise<Task> {
  const { stocks } = model.records;
  const id = [...stocks.keys()][item];
  const more =
    id === undefined
      ? { id: `more-${stocks.size}`, name: 'More', stock: units }
      : { id, stock: (stocks.get(id) as number) + units };
  const process = await startProcess('more', stores, (_, postgres) =>
    postgres.transaction('items', (client) =>
      addItems(client, model.saleId, [{ at: '', ...more }], UNITS_MAX),
    ),
  );
  const check = (outcome: Outcome) => {
    if (process.met.some(isLost)) return assert.deepEqual(outcome, { thrown: 'Unanswered' });
    const { total, refused } = (outcome as { value: { total?: number; refused?: unknown } }).value;
    if (refused === undefined) assert.equal(total, allUnits(model.records.stocks).length);
  };
  return { process, check };
}
