/** The bugs that the campaign must find. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './service.ts';

/** A piece of text that occurs exactly once in a file of the build, and what stands there in its place. */
interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A bug that the campaign must find, with the faults that bring it out. */
export interface PlantedBug {
  readonly name: string;
  readonly patches: readonly Patch[];
  readonly faults: readonly string[];
}

const GATE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end`;

/** Every script says in which dataset it runs. */
const SCRIPTS = readdirSync(join(ROOT, 'lua'));

export const PLANTED: readonly PlantedBug[] = [
  {
    name: 'answer before commit',
    patches: [
      {
        file: 'dist/src/store/purchases.js',
        find: 'const known = await commitResults(deps, sale, results);',
        replace:
          'const known = { isSound: true, answerOf: (result) => result }; void commitResults(deps, sale, results);',
      },
    ],
    faults: ['postgres-kill', 'worker-kill-before-commit'],
  },
  {
    name: 'fence removed',
    patches: [
      { file: 'lua/purchase.lua', find: GATE, replace: '' },
      { file: 'lua/checkout.lua', find: GATE, replace: '' },
    ],
    faults: ['redis-kill-old', 'redis-flush-undone', 'box-pause-redis-old'],
  },
  {
    name: 'run id only',
    patches: SCRIPTS.map((file) => ({
      file: `lua/${file}`,
      find: `id('\\nmaster_replid:')`,
      replace: `'any'`,
    })),
    faults: ['redis-failback'],
  },
  {
    name: 'hint that does not unlearn',
    patches: [
      {
        file: 'dist/src/shard/sale-facts.js',
        find: '    for (const itemId of backIds) {',
        replace: '    for (const itemId of []) {',
      },
    ],
    faults: ['returns-kills'],
  },
  {
    name: 'restock twice',
    patches: [
      {
        file: 'lua/shelve.lua',
        find: `if redis.call('HGET', returns, ARGV[i]) ~= text then return -2 end`,
        replace: `returned = number - 1
    fresh[1], fresh[2] = ARGV[i], text
    codes[1], restocked[1], lines[1] = string.match(text, '^(%S+) %S+ (%d) %S+ ([^\\t]+)')`,
      },
    ],
    faults: ['returns-kills'],
  },
  {
    name: 'feed by sequence number only',
    patches: [
      {
        file: 'sql/read_events.sql',
        find: 'where (turn, seq) >= ($1, $2)\n  and ((turn, seq) > ($1, $2) or',
        replace: 'where $1::bigint is not null and seq >= $2\n  and (seq > $2 or',
      },
      {
        file: 'sql/read_events.sql',
        find: '  and turn < (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint + ahead from feed)\n',
        replace: '',
      },
      {
        file: 'sql/read_events.sql',
        find: 'order by events.turn, events.seq',
        replace: 'order by events.seq',
      },
      {
        file: 'sql/start_webhooks.sql',
        find: '9223372036854775807',
        replace: '(select coalesce(max(seq), 0) from events)',
      },
    ],
    faults: ['feed-kills'],
  },
  {
    name: 'expiry and confirm both win',
    patches: [
      {
        file: 'sql/settle_payments.sql',
        find: ` where code = any($1) and state = 'pending' returning`,
        replace: ' where code = any($1) returning',
      },
    ],
    faults: ['payments-settled-at-once'],
  },
  {
    name: 'no salvage',
    patches: [
      {
        file: 'dist/src/store/salvage.js',
        find: 'if (missing.length === 0)',
        replace: 'if (missing.length >= 0)',
      },
    ],
    faults: ['postgres-older'],
  },
  {
    name: 'retire unchecked',
    patches: [
      {
        file: 'dist/src/store/retire.js',
        find: 'await saveSale(redis, postgres, sale, onContradiction)',
        replace: '0',
      },
      {
        file: 'dist/src/store/retire.js',
        find: 'await auditSale(redis, postgres, sale.id, rest)',
        replace: '[]',
      },
      {
        file: 'lua/retire.lua',
        find: ` or redis.call('HLEN', KEYS[3]) ~= tonumber(ARGV[4])`,
        replace: '',
      },
    ],
    faults: ['postgres-older-retire'],
  },
  {
    name: 'missing key = unsold',
    patches: [
      {
        file: 'lua/purchase.lua',
        find: GATE,
        replace: GATE.replace('if ', `if redis.call('GET', KEYS[1]) and `),
      },
      {
        file: 'lua/checkout.lua',
        find: GATE,
        replace: GATE.replace('if ', `if redis.call('GET', KEYS[1]) and `),
      },
      {
        file: 'lua/purchase.lua',
        find: 'if not state[1] then return -1 end',
        replace: `if not state[1] then state = { '0', '9e15', '0', '4', '0', '0', '0', '0', '0', '0', '0', '0' } end`,
      },
      {
        file: 'lua/checkout.lua',
        find: 'if not state[1] then return -1 end',
        replace: `if not state[1] then state = { '0', '9e15', '9e9', '0', '4', '0', '0', '0' } end`,
      },
      {
        file: 'lua/purchase.lua',
        find: `stock[i] = '0'`,
        replace: `stock[i] = '1'`,
      },
      { file: 'lua/checkout.lua', find: 'elseif not stock[i] then', replace: 'elseif false then' },
      {
        file: 'lua/checkout.lua',
        find: 'tonumber(stock[i]) < quantity',
        replace: 'tonumber(stock[i] or 1) < quantity',
      },
    ],
    faults: ['redis-flush'],
  },
  {
    name: 'stream trimmed',
    patches: [
      { file: 'lua/purchase.lua', find: `'XADD', outbox, '*'`, replace: `'XADD', outbox, 'MAXLEN', 1, '*'` },
    ],
    faults: ['worker-kill-after-script', 'worker-kill-before-commit'],
  },
  {
    name: 'filter trusted',
    patches: [
      {
        file: 'dist/src/shard/shard.js',
        find: 'const reply = ask(owner, saleId, facts.epoch, facts.backAt, itemId);',
        replace: `return 'sold'; const reply = ask(owner, saleId, facts.epoch, facts.backAt, itemId);`,
      },
    ],
    faults: ['filter-maybe'],
  },
  {
    // The option alone changes nothing that can be seen: without a run id nothing is sent, and what was sent and not
    // written is too little to be met in hundreds of runs. So this is what the option is for, whole: commands wait for
    // a Redis that is away, under the fence of the one that was there before.
    name: 'offline queue on',
    patches: [
      {
        file: 'dist/src/store/redis/connection.js',
        find: 'disableOfflineQueue: true',
        replace: 'disableOfflineQueue: false',
      },
      {
        file: 'dist/src/store/redis/connection.js',
        find: 'const forget = () => {',
        replace: 'const forget = () => { return;',
      },
    ],
    faults: ['box-pause-redis-old', 'redis-away'],
  },
  {
    name: 'breaker trips on slow reads',
    patches: [
      {
        file: 'dist/src/store/postgres-errors.js',
        find: `if (isRead && message === 'Query read timeout') {`,
        replace: 'if (false) {',
      },
    ],
    faults: ['postgres-slow-read'],
  },
  {
    name: 'roll snapshot',
    patches: [
      {
        file: 'dist/src/primary/workers/supervisor.js',
        find: 'const rollSlots = async () => {',
        replace: 'const rollSlots = async () => { snapshot = new Map(slots);',
      },
      {
        file: 'dist/src/primary/workers/supervisor.js',
        find: 'const old = slots.get(slot);',
        replace: 'const old = snapshot.get(slot);',
      },
      {
        file: 'dist/src/primary/workers/supervisor.js',
        find: 'let stopping = false;',
        replace: 'let stopping = false; let snapshot;',
      },
    ],
    faults: ['kill-during-roll'],
  },
  {
    name: 'place that is over told again',
    patches: [
      {
        file: 'dist/src/selling/sale-queue.js',
        find: `return turn.state === 'over' ? undefined : {`,
        replace: 'return {',
      },
    ],
    faults: ['queue-again'],
  },
  {
    name: 'place outlives its sale',
    patches: [
      {
        file: 'dist/src/selling/sale-queue.js',
        find: ' || !takesJoiners(sale(), Date.now())',
        replace: '',
      },
    ],
    faults: ['queue-again'],
  },
  {
    name: 'place of whoever came before',
    patches: [
      { file: 'dist/src/selling/sale-queue.js', find: 'given.get(user)', replace: `given.get('last')` },
      { file: 'dist/src/selling/sale-queue.js', find: 'given.set(user,', replace: `given.set('last',` },
    ],
    faults: ['queue-again'],
  },
];
