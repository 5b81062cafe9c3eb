import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, type Rules, type ViolationKind } from '../../campaigns/faults/checker.ts';
import type { Dump } from '../../campaigns/faults/dumps.ts';
import type { Entry, HistoryLine, Line } from '../../campaigns/faults/history.ts';

const RULES: Rules = { losesRedis: false, losesLog: false, noFailures: false, resolveMs: 10_000 };

/** A history as it is written by hand: each call is one operation from its invoke to its end. */
function script() {
  const lines: HistoryLine[] = [];
  let op = 0;
  let t = 0;
  const add = (entry: Omit<Entry, 't'>) => {
    t += 10;
    lines.push({ t, ...entry });
  };
  return {
    lines,
    mark: (name: string) => void lines.push({ t, type: 'mark', name }),
    wait: (ms: number) => {
      t += ms;
    },
    checkout(user: string, item: string, code: string, answer = 'accepted') {
      const start = { op: ++op, does: 'checkout', user, item, request: `r${op}` } as const;
      add({ ...start, type: 'invoke' });
      const failed = answer === 'unavailable';
      const status = answer === 'accepted' ? 200 : failed ? 503 : 409;
      add({ ...start, type: failed ? 'fail' : 'ok', status, answer, ...(answer === 'accepted' && { code }) });
    },
    purchase(user: string, code: string, answer: string, receipt?: readonly Line[], again = false) {
      const start = { op: ++op, does: 'purchase', user, code } as const;
      add({ ...start, type: 'invoke' });
      const type = answer === 'outcome_unknown' ? 'unknown' : answer === 'unavailable' ? 'fail' : 'ok';
      const status = answer === 'ECONNRESET' ? 0 : answer === 'accepted' ? 200 : 409;
      add({ ...start, type, status, answer, ...(receipt && { receipt }), ...(again && { again }) });
    },
  };
}

/** Two items: `a` bought by ann, `b` by bob, and everything as it should be. */
function goodRun() {
  const run = script();
  run.checkout('ann', 'a', 'A');
  run.checkout('bob', 'b', 'B');
  run.purchase('ann', 'A', 'accepted', [['a', true]]);
  run.purchase('bob', 'B', 'accepted', [['b', true]]);
  return run;
}

const goodDump = (): Dump => ({
  saleId: 'S',
  total: 2,
  limit: 1,
  items: ['a', 'b'],
  purchases: [
    { item: 'a', code: 'A', user: 'ann' },
    { item: 'b', code: 'B', user: 'bob' },
  ],
  decisions: [
    { code: 'A', user: 'ann', lines: '+a' },
    { code: 'B', user: 'bob', lines: '+b' },
  ],
  attempts: [
    { request: 'r1', outcome: 'accepted', code: 'A' },
    { request: 'r2', outcome: 'accepted', code: 'B' },
  ],
  redis: {
    sold: 2,
    items: { a: '0', b: '0' },
    bought: { ann: '1', bob: '1' },
    decisions: { A: '1 ann +a', B: '2 bob +b' },
    waiting: 0,
  },
});

/** The run with one more line of history, against the dump with other contents. */
function kinds(
  extend: (run: ReturnType<typeof script>) => void,
  change: Partial<Dump> = {},
  rules: Partial<Rules> = {},
): ViolationKind[] {
  const run = goodRun();
  extend(run);
  const found = check(run.lines, { ...goodDump(), ...change }, { ...RULES, ...rules });
  return [...new Set(found.map(({ kind }) => kind))];
}
const has = (found: ViolationKind[], kind: ViolationKind) =>
  assert.ok(found.includes(kind), `${kind} in ${found}`);

test('a good run has no violations', () => {
  assert.deepEqual(
    kinds(() => {}),
    [],
  );
});

test('an acknowledged purchase that Postgres does not have is lost', () => {
  has(
    kinds(() => {}, { purchases: goodDump().purchases.slice(0, 1) }),
    'lost',
  );
});

test('an item that two were told to have is sold twice', () => {
  has(
    kinds((run) => run.purchase('cid', 'C', 'accepted', [['a', true]])),
    'sold-twice',
  );
});

test('a purchase that nobody posted, or that was refused, is invented', () => {
  const decisions = [...goodDump().decisions, { code: 'C', user: 'cid', lines: '-a' }];
  has(
    kinds(() => {}, { decisions }),
    'invented',
  );
  has(
    kinds((run) => run.purchase('cid', 'C', 'unavailable'), { decisions }),
    'invented',
  );
  assert.ok(!kinds((run) => run.purchase('cid', 'C', 'outcome_unknown'), { decisions }).includes('invented'));
});

test('more than the limit, more than the total, less than the total', () => {
  has(
    kinds(() => {}, { limit: 0 }),
    'over-limit',
  );
  has(
    kinds(() => {}, { total: 1 }),
    'over-total',
  );
  has(
    kinds(() => {}, { total: 3 }),
    'not-sold-out',
  );
});

test('answers for one code that do not agree are two outcomes', () => {
  has(
    kinds((run) => run.purchase('ann', 'A', 'already_processed', [['a', false]], true)),
    'two-outcomes',
  );
  has(
    kinds((run) => run.purchase('ann', 'A', 'accepted', [['a', true]])),
    'two-outcomes',
  );
  const replay = kinds((run) => run.purchase('ann', 'A', 'already_processed', [['a', true]], true));
  assert.deepEqual(replay, []);
});

test('a 404 for a code that has a receipt, or that no fault has taken away, is forgotten', () => {
  has(
    kinds((run) => run.purchase('ann', 'A', 'checkout_not_found'), {}, { losesRedis: true }),
    'forgotten-code',
  );
  const unbought = (run: ReturnType<typeof script>) => run.purchase('cid', 'C', 'checkout_not_found');
  has(kinds(unbought), 'forgotten-code');
  assert.deepEqual(kinds(unbought, {}, { losesRedis: true }), []);
});

test('"sold" before anybody has begun to buy is a phantom', () => {
  const run = script();
  run.checkout('cid', 'a', '', 'item_already_sold');
  run.lines.push(...goodRun().lines.map((line) => ({ ...line, t: line.t + 100 })));
  has([...new Set(check(run.lines, goodDump(), RULES).map(({ kind }) => kind))], 'phantom-sold');
});

test('a line that gets into a cart while its post is under way is no phantom', () => {
  const run = script();
  const post = { op: 90, does: 'purchase', user: 'ann', code: 'A' } as const;
  run.lines.push({ t: 1, ...post, type: 'invoke' });
  run.checkout('ann', 'a', 'A');
  run.checkout('cid', 'a', '', 'item_already_sold');
  const kindsFound = check(run.lines, goodDump(), RULES).map(({ kind }) => kind);
  assert.ok(!kindsFound.includes('phantom-sold'));
});

test('an old copy of Redis makes a code good again after a 404; one that was bought and is then 404 is forgotten', () => {
  const kindsIf = (answer: string, again: boolean, before?: string) => {
    const run = script();
    run.checkout('ann', 'a', 'A');
    if (before !== undefined) run.purchase('ann', 'A', before);
    run.purchase('ann', 'A', 'checkout_not_found');
    run.purchase('ann', 'A', answer, [['a', true]], again);
    return check(run.lines, goodDump(), { ...RULES, losesRedis: true }).map(({ kind }) => kind);
  };
  assert.ok(!kindsIf('accepted', false).includes('forgotten-code'));
  has(kindsIf('already_processed', true), 'forgotten-code');
  has(kindsIf('already_processed', true, 'outcome_unknown'), 'forgotten-code');
});

test('an outcome that stays unknown for long, though the code is posted again, is unresolved', () => {
  const unknown = (after: string) => (run: ReturnType<typeof script>) => {
    run.purchase('cid', 'C', 'outcome_unknown');
    run.mark('healed');
    run.wait(11_000);
    run.purchase('cid', 'C', after, after === 'all_items_sold' ? [['a', false]] : undefined);
  };
  has(kinds(unknown('outcome_unknown')), 'unresolved');
  has(kinds(unknown('all_items_sold')), 'unresolved');
  assert.ok(!kinds((run) => run.purchase('cid', 'C', 'outcome_unknown')).includes('unresolved'));
});

test('books that do not balance are told', () => {
  const { redis, decisions } = goodDump();
  for (const change of [
    { redis: { ...redis, sold: 1 } },
    { redis: { ...redis, items: { a: '0', b: '1' } } },
    { redis: { ...redis, bought: { ann: '1' } } },
    { redis: { ...redis, decisions: { A: '1 ann +a' } } },
    { redis: { ...redis, waiting: 1 } },
    { decisions: decisions.slice(0, 1) },
  ]) {
    has(
      kinds(() => {}, change),
      'books-differ',
    );
  }
});

test('an answered attempt is logged once, as it was answered', () => {
  const { attempts } = goodDump();
  has(
    kinds(() => {}, { attempts: attempts.slice(1) }),
    'attempt-not-logged',
  );
  has(
    kinds(() => {}, { attempts: [{ ...attempts[0]!, outcome: 'unavailable' }, attempts[1]!] }),
    'attempt-not-logged',
  );
  has(
    kinds(() => {}, { attempts: [...attempts, attempts[0]!] }),
    'attempt-logged-twice',
  );
  has(
    kinds(() => {}, { attempts: [...attempts, { ...attempts[0]!, request: 'x' }] }),
    'attempt-invented',
  );
});

test('answers that no contract knows, and failures where nothing may fail, are told', () => {
  has(
    kinds((run) => run.checkout('cid', 'a', '', 'internal_error')),
    'unexpected-answer',
  );
  has(
    kinds((run) => run.purchase('cid', 'C', 'unavailable'), {}, { noFailures: true }),
    'failed-request',
  );
});

test('a code posted after the dump must tell what was committed', () => {
  const late = (receipt: Line[]) => (run: ReturnType<typeof script>) => {
    run.mark('dump');
    run.purchase('ann', 'A', 'already_processed', receipt, true);
  };
  assert.deepEqual(kinds(late([['a', true]])), []);
  has(kinds(late([['a', false]])), 'two-outcomes');
});

test('while a store is known to be away, answers come at once', () => {
  const away = (run: ReturnType<typeof script>, slowMs: number) => {
    run.mark('away-redis');
    run.wait(2_000);
    for (let i = 0; i < 10; i++) {
      const start = { op: 100 + i, does: 'purchase', user: 'cid', code: 'C' } as const;
      run.wait(10);
      run.lines.push({ t: 2_100 + i * 10_000, ...start, type: 'invoke' });
      run.lines.push({
        t: 2_100 + i * 10_000 + slowMs,
        ...start,
        type: 'fail',
        status: 503,
        answer: 'unavailable',
      });
    }
    run.wait(200_000);
    run.mark('back');
  };
  has(
    kinds((run) => away(run, 900)),
    'slow-refusal',
  );
  assert.ok(!kinds((run) => away(run, 5)).includes('slow-refusal'));
});
