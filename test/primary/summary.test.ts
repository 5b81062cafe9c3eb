import assert from 'node:assert/strict';
import { test } from 'node:test';
import { json } from '../../src/http/answer.ts';
import { createAsk, NO_HEADERS, NO_PARAMS, NO_PEER, NO_QUERY } from '../../src/http/asked.ts';
import { createHttpMetrics } from '../../src/http/metrics.ts';
import { createSummary } from '../../src/primary/summary.ts';
import { until } from '../support/processes.ts';

const ask = createAsk();

/** What one worker counts: the real counters, fed by hand. */
function createWorker() {
  const metrics = createHttpMetrics();
  return {
    counted: metrics.counted,
    /** So many answers of a route. */
    answer(
      times: number,
      method: string,
      path: string,
      status: number,
      code: string | undefined,
      ms: number,
    ) {
      const observe = metrics.observe(path);
      const answer = { ...json(status, {}), ...(code && { code }) };
      const route = { path, answer: () => answer };
      const asked = ask({
        route,
        method,
        path,
        params: NO_PARAMS,
        query: NO_QUERY,
        headers: NO_HEADERS,
        peer: NO_PEER,
      });
      for (let i = 0; i < times; i++) observe(asked, answer, ms);
    },
  };
}

/** A terminal of that width, a summary on it with periods of no time, and sales that are open. */
function createScreen(columns: number) {
  let text = '';
  const sales = new Map<string, [sold: number, total: number]>();
  const summary = createSummary({
    readProgress: async () =>
      [...sales].map(([id, [sold, total]]) => ({
        sale: { id, total, userLimit: 10, hourly: true, epoch: 1, startsAtMs: 0, endsAtMs: 1 },
        sold,
      })),
    pids: () => [1, 2],
    write: (more) => {
      text += more;
    },
    columns: () => columns,
    periodMs: 0,
  });
  return {
    sales,
    /** What a report makes of it; the row without its rate, which is the clock's. */
    async hear(pid: number, worker: ReturnType<typeof createWorker>) {
      text = '';
      summary.heard(pid, worker.counted());
      await until('what it shows', () => text !== '', 200).catch(() => {});
      return text.replace(/[\d,]+ req\/s/, 'N req/s').replace(/up to [\d,]+\/s/, 'up to N/s');
    },
  };
}

const CLEAR = '\r\x1b[K';

test('a burst is one row that is written again, and stays with its totals once it is over', async () => {
  const [screen, worker] = [createScreen(80), createWorker()];
  screen.sales.set('S-1', [0, 10_000]);
  assert.equal(await screen.hear(1, worker), '', 'nothing happened');
  worker.answer(297, 'POST', '/checkout', 200, undefined, 3);
  worker.answer(3, 'POST', '/checkout', 200, undefined, 80);
  screen.sales.set('S-1', [250, 10_000]);
  assert.equal(await screen.hear(1, worker), `${CLEAR}250/10,000 sold  N req/s  p99 ≤ 5 ms`);
  worker.answer(60, 'POST', '/checkout', 409, 'item_already_sold', 30_000);
  worker.answer(40, 'POST', '/checkout', 400, 'user_limit_reached', 0.2);
  assert.equal(
    await screen.hear(1, worker),
    `${CLEAR}250/10,000 sold  N req/s  p99 > 10 s  100 % refused: sold 60, limit 40`,
    'of this second alone',
  );
  assert.equal(await screen.hear(1, worker), '', 'it may only be a late report');
  assert.match(
    await screen.hear(1, worker),
    /\[\d\d:\d\d:\d\d\] 250\/10,000 sold {2}400 requests, up to N\/s {2}p99 > 10 s {2}25 % refused: sold 15, limit 10\n$/,
  );
  assert.equal(await screen.hear(1, worker), '', 'nothing more');
});

test('a single request is a row too; probes are none', async () => {
  const [screen, worker] = [createScreen(80), createWorker()];
  for (const path of ['/livez', '/readyz', '/metrics', '/health'])
    worker.answer(1, 'GET', path, 200, undefined, 1);
  assert.equal(await screen.hear(1, worker), '');
  worker.answer(1, 'GET', '/sales', 200, undefined, 1);
  assert.equal(await screen.hear(1, worker), `${CLEAR}N req/s`);
  await screen.hear(1, worker);
  assert.match(await screen.hear(1, worker), /\] 1 request\n$/);
});

test('requests above every bound are said to be', async () => {
  const [screen, worker] = [createScreen(80), createWorker()];
  worker.answer(100, 'GET', '/sales', 503, 'unavailable', 20_000);
  assert.equal(await screen.hear(1, worker), `${CLEAR}N req/s  p99 > 10 s`);
});

test('workers are added up; one that begins anew begins at nothing', async () => {
  const screen = createScreen(80);
  const [first, second, successor] = [createWorker(), createWorker(), createWorker()];
  first.answer(50, 'POST', '/purchase', 200, undefined, 1);
  second.answer(70, 'POST', '/purchase', 409, 'already_processed', 1);
  await screen.hear(1, first);
  await screen.hear(2, second);
  successor.answer(30, 'POST', '/purchase', 200, undefined, 1);
  await screen.hear(3, successor);
  await screen.hear(1, first);
  assert.match(
    await screen.hear(1, first),
    /\] 150 requests, up to N\/s {2}p99 ≤ 1 ms {2}47 % refused: repeated 47\n$/,
  );
});

test('of several sales it names the one that sells, and goes on with it', async () => {
  const [screen, worker] = [createScreen(80), createWorker()];
  const step = async () => {
    worker.answer(1, 'GET', '/sales', 200, undefined, 1);
    return (await screen.hear(1, worker)).slice(CLEAR.length).split('  ')[0];
  };
  screen.sales.set('S-1', [5, 10]).set('S-2', [0, 20]);
  assert.equal(await step(), 'S-1: 5/10 sold');
  screen.sales.set('S-2', [3, 20]);
  assert.equal(await step(), 'S-2: 3/20 sold');
  assert.equal(await step(), 'S-2: 3/20 sold');
  screen.sales.delete('S-2');
  assert.equal(await step(), '5/10 sold');
});

test('a row that is written again is no wider than the terminal', async () => {
  for (const columns of [20, 80]) {
    const [screen, worker] = [createScreen(columns), createWorker()];
    screen.sales.set('S-1', [1_000, 1_000_000]);
    for (const code of [
      'item_already_sold',
      'sale_sold_out',
      'checkout_not_found',
      'sale_not_active',
      'overloaded',
    ])
      worker.answer(1_000, 'POST', '/checkout', 409, code, 1);
    const row = (await screen.hear(1, worker)).slice(CLEAR.length);
    assert.ok(row.length < columns, `${row.length}`);
    assert.match(row, /…$/);
  }
});
