import { fileOf } from '../../src/store/query-kinds.ts';
import { type Script, script } from '../../src/store/redis.ts';
import { agree, type Does, gateOf, readsOnly } from './agree.ts';
import { type CheckoutOp, checkOut, type Decisions, decide, isWhole, law, retire } from './model.ts';
import { begin, clear, commit, forget, type Model, note, open } from './recovery.ts';
import { RETURN_DOES } from './returned.ts';
import { factsOf, SWITCH_DOES } from './switch.ts';
import { allUnits } from './units.ts';

/** A statement with its values, and the rows that it gave. */
export interface Ran {
  readonly statement: { readonly name: string };
  readonly values: readonly unknown[];
  readonly rows: unknown;
}

/** A call of a store: a script, a command, a statement, or a transaction, which happens as a whole. */
export type Call =
  | { readonly script: Script; readonly keys: readonly string[]; readonly args: readonly string[] }
  | { readonly words: readonly string[] }
  | { readonly statement: { readonly name: string }; readonly values: readonly unknown[] }
  | { readonly transaction: string; readonly ran: readonly Ran[] };

const SCRIPTS = [
  'checkout',
  'purchase',
  'forget',
  'leftover',
  'retire',
  'rebuild_begin',
  'rebuild_clear',
  'scan_decisions',
  'doubt',
  'whole',
  'rebuild_load',
  'rebuild_free',
  'rebuild_decisions',
  'rebuild_open',
  'shelve',
  'switch',
];
const nameOfSha = new Map(SCRIPTS.map((name) => [script(name).sha, name]));

/** The file of the script or statement, as "lua/purchase"; a command's first word. */
export function nameOf(call: Call): string {
  if ('words' in call) return call.words[0] as string;
  if ('transaction' in call) return `transaction/${call.transaction}`;
  return 'script' in call ? `lua/${nameOfSha.get(call.script.sha)}` : `sql/${fileOf(call.statement.name)}`;
}

/** The model's part of a call; it returns what the store has to answer, or throws when the store answered otherwise. */
export function mirror(model: Model, call: Call, reply: unknown): unknown {
  if ('transaction' in call)
    return call.ran.map(({ rows, ...each }) => ({
      name: nameOf(each),
      values: each.values,
      answer: mirror(model, each, rows),
    }));
  const name = nameOf(call);
  const does = DOES[name];
  if (does === undefined)
    throw new Error(`the model does not know ${name}: teach it in campaigns/model/calls.ts`);
  const args = 'words' in call ? call.words : 'script' in call ? call.args : call.values;
  return does(model, args as string[], reply, 'script' in call ? call.keys : []);
}

/** Operations as words: "user item code user item*3 code …". */
function opsOf(packed: string): CheckoutOp[] {
  const words = packed.trim().split(' ');
  return Array.from({ length: words.length / 3 }, (_, i) => {
    const [user, item, code] = words.slice(i * 3) as [string, string, string];
    const [id = '', quantity] = item.split('*');
    return { user, item: id, code, quantity: quantity === undefined ? undefined : Number(quantity) };
  });
}

/** The lines of the decisions that `lua/purchase` answers, by code: each is "status decided_ms user line line …". */
const linesIn = (codes: readonly string[], answers: string): Map<string, string[]> =>
  new Map(answers.split('\n').map((text, i) => [codes[i] as string, text.split(' ').slice(3)]));

const loads: Does = (model, [token], reply, keys) => {
  const { memory } = model;
  const ours = memory.gate === gateOf(model, token);
  if (ours && keys[1]?.endsWith(':items')) memory.stocked = true;
  return agree(ours ? 1 : -1, reply, 'a step of a rebuild');
};

const DOES: Record<string, Does> = {
  ...RETURN_DOES,
  ...SWITCH_DOES,
  'lua/checkout'(model, [fence, , packed]) {
    const answers = checkOut(model.memory, gateOf(model, fence), opsOf(packed as string));
    for (const { outcome, code } of answers === 'fenced' ? [] : answers)
      if (outcome === 'added' && !model.codes.includes(code)) model.codes.push(code);
    return answers;
  },
  'lua/purchase'(model, [fence, , , packed], reply) {
    const codes = (packed as string).split(' ');
    const entryId = Array.isArray(reply) ? (reply[0] as string) : '';
    const chosen = linesIn(codes, Array.isArray(reply) ? (reply[1] as string) : '');
    const answers = decide(model.memory, gateOf(model, fence), codes, entryId, chosen);
    const epoch = Number(fence?.split(':')[1]);
    if (answers !== 'fenced') {
      answers.forEach(({ outcome, decision }, i) => {
        if (outcome === 'decided') model.made.push({ ...decision!, code: codes[i] as string, epoch });
      });
    }
    return answers;
  },
  'lua/forget': (model, [shown, ...ids], reply) =>
    agree(model.memory.gate === gateOf(model, shown) ? forget(model, ids) : -1, reply, 'forget'),
  'lua/leftover'(model, [shown], reply) {
    const { memory } = model;
    const ids = Array.isArray(reply) ? (reply as [string][]).map(([id]) => id) : reply;
    return agree(memory.gate === gateOf(model, shown) ? [...memory.outbox.keys()] : -1, ids, 'leftover');
  },
  'lua/retire'({ memory, records, dataset }, [fence, endsMs, afterMs, decided, version], reply) {
    const held = [...memory.decisions.keys()];
    const overMs = Number(endsMs) + Number(afterMs);
    const may = retire(memory, gateOf({ dataset }, fence), overMs, Number(decided), Number(version));
    const done = agree(may, reply, 'retire');
    const lost = held.filter((code) => done === 1 && !records.committed.has(code));
    law(lost.length === 0, `${lost} are retired uncommitted`);
    return done;
  },
  'lua/whole': (model, [fence, total], reply) =>
    agree(isWhole(model.memory, gateOf(model, fence), Number(total)), reply, 'whole'),
  'lua/doubt'({ memory, dataset }, [fence], reply) {
    const shuts = memory.gate === `${fence}:${dataset}`;
    if (shuts) memory.gate = `doubted:${memory.gate}`;
    return agree(shuts ? 1 : -1, reply, 'doubt');
  },
  'lua/rebuild_begin': (model, [token, epoch], reply) =>
    agree(begin(model, Number(epoch), gateOf(model, token)), reply, 'rebuild_begin'),
  'lua/rebuild_clear'(model, [token], reply) {
    const ours = model.memory.gate === gateOf(model, token);
    if (ours) clear(model);
    return agree(ours ? 1 : -1, reply, 'rebuild_clear');
  },
  'lua/rebuild_load': loads,
  'lua/rebuild_free': loads,
  'lua/rebuild_decisions': loads,
  'lua/rebuild_open'(model, [token, fence, starts, ends, , , limit, , , version, paused], reply) {
    const facts = factsOf([version, starts, ends, limit, paused]);
    return agree(open(model, gateOf(model, token), gateOf(model, fence), facts), reply, 'rebuild_open');
  },
  'sql/bump_epoch'(model, [, above], reply) {
    const { records } = model;
    const [row] = reply as { epoch: number; opened_epoch: number }[];
    if (records.retired) return agree(undefined, row, 'bump_epoch');
    records.epoch = Math.max(records.epoch, Number(above)) + 1;
    model.highest = Math.max(model.highest, records.epoch);
    agree([records.epoch, records.opened], [row?.epoch, row?.opened_epoch], 'bump_epoch');
    return { epoch: records.epoch };
  },
  'sql/sale_size'({ records }, _args, reply) {
    const [{ total }] = reply as [{ total: number }];
    return { total: agree(allUnits(records.stocks).length, total, 'sale_size') };
  },
  'sql/commit_purchases'(model, args, reply) {
    const [, epoch, codes, users, , lines] = args as unknown as [string, number, ...string[][]];
    const decisionAt = (i: number) => ({ user: users![i] as string, lines: lines![i]!.split(' ') });
    const decisions: Decisions = new Map(codes!.map((code, i) => [code, decisionAt(i)]));
    const standing = codes!.filter((code) => model.records.committed.has(code));
    const expected = commit(model, epoch, decisions) ? [{ standing, due_ms: null }] : [];
    return agree(expected, reply, 'commit_purchases').length === 1;
  },
  'sql/open_epoch'(model, [, epoch], reply) {
    const isOpened = agree(note(model, Number(epoch)), (reply as unknown[]).length === 1, 'open_epoch');
    return isOpened && { total: allUnits(model.records.stocks).length };
  },
  'sql/retire_sale'({ records }, [, version]) {
    if (Number(version) === records.facts.version) records.retired = true;
  },
  'lua/scan_decisions'({ memory, dataset }, [shown], reply) {
    const isOurs = memory.gate === `${shown}:${dataset}`;
    agree(isOurs, reply !== -1, 'scan_decisions');
    return isOurs ? true : -1;
  },
  'sql/count_decisions': ({ records }, _args, reply) =>
    agree([{ decisions: records.committed.size }], reply, 'count_decisions'),
  'sql/uncommitted_codes'({ records }, [codes], reply) {
    const missing = (codes as unknown as string[]).filter((code) => !records.committed.has(code));
    return agree(missing.sort(), (reply as { code: string }[]).map(({ code }) => code).sort(), 'uncommitted');
  },
  GET: ({ memory }, _args, reply) => agree(memory.gate || null, reply, 'GET'),
  ...Object.fromEntries(
    [
      ...[
        'TIME',
        'INFO',
        'HGET',
        'HMGET',
        'HSCAN',
        'XRANGE',
        'ZRANGEBYLEX',
        'sql/find_decisions',
        'sql/audit_sale',
      ],
      ...['sql/audit_items', 'sql/audit_item_ids', 'sql/audit_strays', 'sql/audit_codes'],
      ...['sql/audit_decisions', 'sql/audit_buyers', 'sql/audit_users'],
      ...['sql/audit_returns', 'sql/returns_since', 'sql/returns_of'],
    ].map((name) => [name, readsOnly]),
  ),
  'sql/rebuild_items': readsOnly,
  'sql/rebuild_free': readsOnly,
  'sql/rebuild_bought': readsOnly,
  'sql/rebuild_decisions': readsOnly,
  'sql/withdraw_returned': readsOnly,
  'sql/settle_payments': readsOnly,
  'sql/live_returns': readsOnly,
  'sql/lock_sale': readsOnly,
};
