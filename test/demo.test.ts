/** `npm run demo` in its shortest form: most of its time it waits. Starts first. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { differencesOf } from '../demo/books.ts';
import { goodsOf } from '../demo/goods.ts';
import { stillRunning, treeOf, until } from './support/processes.ts';
import { freePort } from './support/service.ts';

const MAIN = fileURLToPath(new URL('../demo/main.js', import.meta.url));

async function startDemo() {
  const port = await freePort();
  const options = ['--seconds', '12', '--port', String(port)];
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part));
  const exit = once(child, 'close');
  await until('it opens', () => text.includes('opens in') || child.exitCode !== null, 60_000);
  const [, storefront = ''] = /^ {2}Storefront +(\S+)/m.exec(text) ?? [];
  const [, console = ''] = /^ {2}Console +(\S+)/m.exec(text) ?? [];
  return { exit, text: () => text, pages: [storefront, console], tree: treeOf(child.pid!) };
}

test('a newcomer sees both pages, a worker killed while a crowd buys, and books that agree', async () => {
  const { exit, text, pages, tree } = await startDemo();
  for (const page of pages) {
    const answer = await fetch(page, { headers: { Accept: 'text/html' } });
    assert.equal(answer.status, 200, page);
    assert.match(await answer.text(), /<main id="main"/);
  }
  const [code] = await exit;
  assert.equal(code, 0, text());
  assert.match(text(), /Worker 0 \(process \d+\) is killed, kill -9, while [1-9]\d* buyers press "Buy"/);
  assert.match(text(), /All [1-9]\d* know what became of it: [1-9]\d* bought/);
  const [, total, sold] = /(\d+) units: (\d+) sold, 0 held/.exec(text()) ?? [];
  assert.ok(Number(sold) > Number(total) / 3, text());
  assert.match(text(), /The books agree\.\s*$/);
  assert.deepEqual(stillRunning(tree), []);
});

test('books that do not balance are seen', () => {
  const line = { id: 'demo-01', name: 'A', sold: true };
  const order = (code: string, user_id: string) => ({
    ...{ code, user_id, state: 'confirmed', purchased_items: [line] },
  });
  const receipt = { success: true, purchased_items: [line], total_purchased: 1, failed_count: 0 };
  const stocks = new Map(goodsOf(60).map(({ id, stock }) => [id, stock]));
  const told = new Map([['a', { user: 'crowd-1', receipt }]]);
  const of = (...orders: ReturnType<typeof order>[]) => differencesOf(orders, told, stocks).join('; ');
  assert.equal(of(order('a', 'crowd-1')), '');
  assert.match(of(), /crowd-1 was told of \[1 × demo-01\] for a, and Postgres has \[\]/);
  assert.match(of(order('a', 'crowd-2')), /a is of crowd-1, and Postgres says crowd-2/);
  assert.match(of(order('a', 'crowd-1'), order('b', 'crowd-2')), /b is in Postgres .* nobody was told/);
  assert.match(of(order('a', 'crowd-1'), order('b', 'me')), /2 units of demo-01 are sold, and there are 1/);
  const lines = [{ id: 'demo-02', name: 'B', sold: true, quantity: 5 }];
  assert.match(
    of(order('a', 'crowd-1'), { ...order('m', 'me'), purchased_items: lines }),
    /me holds 5 units/,
  );
});
