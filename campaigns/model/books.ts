/** Compares what both stores hold of a sale with what the model says they must. */
import assert from 'node:assert/strict';
import { parseDecision } from '../../src/store/decision.ts';
import { keysOf } from '../../src/store/keys.ts';
import { decisionsOf } from '../../src/store/outbox.ts';
import { parseReturn } from '../../src/store/returns.ts';
import { type Given, heldIn, takenIn, unitsIn } from './holdings.ts';
import type { Decision, Memory } from './model.ts';
import { checkServing, isGiven, type Model, servingEpoch } from './recovery.ts';
import type { ModelStores } from './stores.ts';
import { allUnits, leftOf, unitName } from './units.ts';

/** A return as the service writes it: its lines name the units. */
export const givenOf = (code: string, restocked: boolean, lines: readonly string[]): Given => ({
  ...{ code, restocked },
  units: unitsIn(lines.map((line) => `+${line}`)),
});

const BOOKS_SQL = `select epoch, opened_epoch, retired, version, paused, user_limit, total,
    (select json_agg(json_build_array(id, stock) order by position) from items where sale_id = $1) as stocks,
    coalesce((select json_agg(json_build_array(code, user_id, lines)) from decisions where sale_id = $1), '[]') as decisions,
    coalesce((select json_agg(json_build_array(case unit when 0 then item_id else item_id || '@' || unit end, code, user_id, withdrawn)) from purchases where sale_id = $1), '[]') as purchases,
    coalesce((select json_agg(json_build_array(code, restocked, lines) order by number) from returns where sale_id = $1), '[]') as returns
  from sales where id = $1`;

interface Row {
  readonly decisions: [string, string, string][];
  readonly purchases: [string, string, string, boolean][];
  readonly returns: [string, boolean, string][];
}

/** Postgres holds what is committed, with one purchase per bought unit, and nothing else. */
export async function checkPostgres(
  stores: ModelStores,
  { saleId, records, acknowledged, answered, isUnsaved }: Model,
): Promise<void> {
  const [row] = await stores.sql(BOOKS_SQL, saleId);
  assert.ok(row);
  const { epoch, opened_epoch: opened, retired, decisions, purchases, returns } = row as typeof row & Row;
  assert.deepEqual(
    { epoch, opened, retired },
    { epoch: records.epoch, opened: records.opened, retired: records.retired },
  );
  const { version, paused, limit } = records.facts;
  assert.deepEqual(
    [row.version, row.paused, row.user_limit],
    [version, paused, limit],
    'the sale in Postgres',
  );
  assert.deepEqual(row.stocks, [...records.stocks], 'the items in Postgres');
  assert.equal(row.total, allUnits(records.stocks).length);
  const committed = decisions.map(([code, user, lines]): [string, Decision] => [
    code,
    { user, lines: lines.split(' ') },
  ]);
  assert.deepEqual(new Map(committed), records.committed, 'the decisions in Postgres');
  const noted = returns.map(([code, restocked, lines]) => givenOf(code, restocked, lines.split(' ')));
  assert.deepEqual(noted, records.returns, 'the returns in Postgres');
  const rows = [...records.committed].flatMap(([code, decision]) => {
    const one = { decisions: new Map([[code, decision]]), returns: records.returns };
    const held = heldIn(one);
    return takenIn(one).map((unit) => [unit, code, decision.user, !held.includes(unit)]);
  });
  assert.deepEqual(purchases.sort(), rows.sort(), 'the purchases in Postgres');
  for (const each of isUnsaved ? [] : answered)
    assert.ok(
      isGiven(records.returns, each),
      `a return of ${each.code} was answered, and is not in Postgres`,
    );
  for (const [code, decision] of isUnsaved ? [] : acknowledged)
    assert.deepEqual(
      new Map(committed).get(code),
      decision,
      `${code} was answered, and is not in Postgres so`,
    );
}

/** What the sale's hash must hold, of which some comes from Redis: the members of `free`, and how often items ran out or came back. */
function saleHash({ memory }: Model, free: readonly string[], changes: string | undefined) {
  const { startsMs, endsMs, limit, version, paused } = memory.facts!;
  const { stocks } = memory;
  return {
    epoch: memory.opened,
    starts_ms: startsMs,
    ends_ms: endsMs,
    total: allUnits(stocks).length,
    sold: takenIn(memory).length,
    limit,
    items: stocks.size,
    gone: [...stocks.keys()].filter((item) => leftOf(stocks, memory, item) === 0).length,
    free: free.length,
    carts: memory.carts.size,
    buyers: usersOf(memory).filter((user) => heldIn(memory, user).length > 0).length,
    decisions: memory.decisions.size,
    entries: memory.outbox.size,
    version,
    paused: Number(paused),
    returned: memory.returns.length,
    changes: Number(changes),
  };
}

/** Redis holds what the model remembers: gate and outbox always, the sale itself whenever somebody is let in. */
export async function checkRedis({ redis }: ModelStores, model: Model): Promise<void> {
  checkServing(model);
  const { memory, saleId } = model;
  const keys = keysOf(saleId);
  const hash = async (key: string) =>
    new Map(Object.entries((await redis.command('HGETALL', key)) as Record<string, string>));
  const [gate, outbox, state, items, carts, codes, bought, decisions, returns, free] = await Promise.all([
    redis.command('GET', keys.gate),
    redis.command('XRANGE', keys.outbox, '-', '+') as Promise<[string, string[]][]>,
    hash(keys.sale),
    hash(keys.items),
    hash(keys.carts),
    hash(keys.codes),
    hash(keys.bought),
    hash(keys.decisions),
    hash(keys.returns),
    redis.command('ZRANGE', keys.free, '0', '-1') as Promise<string[]>,
  ]);
  assert.equal(gate ?? '', memory.gate);
  const waiting = outbox.map(([id, fields]) => {
    const decided = decisionsOf(saleId, fields).map(({ code, userId: user, lines }) => [
      code,
      { user, lines },
    ]);
    return [id, { epoch: Number(fields[1]), decisions: new Map(decided as [string, Decision][]) }] as const;
  });
  assert.deepEqual(new Map(waiting), memory.outbox, 'the outbox');
  if (servingEpoch(model) === undefined) return;

  const sold = takenIn(memory);
  assert.deepEqual(
    Object.fromEntries([...state].map(([field, value]) => [field, Number(value)])),
    saleHash(model, free, state.get('changes')),
    'the sale in Redis',
  );
  const { stocks } = memory;
  const stock = (memory.stocked ? [...stocks.keys()] : []).map(
    (item) => [item, String(leftOf(stocks, memory, item))] as const,
  );
  assert.deepEqual(items, new Map(stock), 'the items in Redis');
  const shelf = stock.flatMap(([item, left]) => {
    const above = free.filter((member) => member.split('@')[0] === item);
    const below = Array.from({ length: Number(left) - above.length }, (_, unit) => unitName(item, unit));
    return [...below, ...above.map((member) => unitName(item, Number(member.split('@')[1])))];
  });
  if (memory.stocked)
    assert.deepEqual([...shelf, ...sold].sort(), allUnits(stocks).sort(), 'every unit is for sale or sold');
  const filled = [...memory.carts].map(
    ([user, cart]) => [user, `${[cart.code, ...cart.items].join(' ')} `] as const,
  );
  assert.deepEqual(carts, new Map(filled), 'the carts');
  assert.deepEqual(codes, new Map([...memory.carts].map(([user, { code }]) => [code, user])), 'the codes');
  const decided = [...decisions].map(([code, text]) => {
    const { userId: user, lines } = parseDecision(saleId, code, text);
    return [code, { user, lines }] as const;
  });
  assert.deepEqual(new Map(decided), memory.decisions, 'the decisions in Redis');
  const given = [...returns]
    .map(([number, text]) => parseReturn(number, text))
    .sort((x, y) => x.number - y.number);
  assert.deepEqual(
    given.map(({ code, restocked, lines }) => givenOf(code, restocked, lines)),
    memory.returns,
    'the returns in Redis',
  );
  for (const user of usersOf(memory))
    assert.equal(Number(bought.get(user) ?? 0), heldIn(memory, user).length, `bought by ${user}`);
}

const usersOf = ({ decisions }: Memory) => [...new Set([...decisions.values()].map(({ user }) => user))];
