import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Service, startService } from '../support/service.ts';
import { addShelf, fillCart, purchase } from '../support/shop.ts';

/** The tools on a service whose demo is over: they need a sale, and make one. */
const service = await startService({ SALE_ITEMS: '3' });
const { body: active } = await service.http.get('/sales/active');

const run = (tool: string, ...options: string[]) => runOn(service, tool, ...options);

async function runOn({ dataDir }: Service, tool: string, ...options: string[]) {
  const path = fileURLToPath(new URL(`../../perf/${tool}.js`, import.meta.url));
  const env = { ...process.env, DATA_DIR: dataDir };
  const child = spawn(process.execPath, [path, ...options], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part));
  const [code] = await once(child, 'close');
  return { code, text };
}

test('sellout sells the active sale, and then one that it makes', async () => {
  const first = await run('sellout');
  assert.equal(first.code, 0, first.text);
  assert.match(first.text, new RegExp(`Selling ${active.id} \\(3 of 3 items left\\)`));
  const second = await run('sellout');
  assert.equal(second.code, 0, second.text);
  assert.match(
    second.text,
    /The active sale is sold out: making a new one …\nSelling S-\w+ \(3 of 3 items left\)/,
  );
  assert.match(second.text, /items_sold is 3 of 3\.\nThe books agree/);
  const large = await run('sellout', '--items', '20');
  assert.equal(large.code, 0, large.text);
  assert.match(large.text, /^Selling S-\w+ \(20 of 20 items left\)/);
});

test('a sale that is named is taken, or refused with what is wrong with it', async () => {
  const { sale, items } = await addShelf(service.http, { total_items: 2 });
  await purchase(service.http, await fillCart(service.http, 'ada', [items[0]!], sale));
  const left = await run('sellout', '--sale', sale);
  assert.equal(left.code, 0, left.text);
  assert.match(left.text, new RegExp(`Selling ${sale} \\(1 of 2 items left\\)`));
  for (const tool of ['sellout', 'load']) {
    const over = await run(tool, ...(tool === 'load' ? ['light'] : []), '--sale', sale);
    assert.equal(over.code, 2);
    assert.match(
      over.text,
      new RegExp(`${tool}: the sale ${sale} is sold out; without --sale another is taken, or made\\.\n$`),
    );
  }
});

test('load never runs on a sale that is too small for its crowd', async () => {
  const { code, text } = await run('load', 'light', '--seconds', '1');
  assert.equal(code, 0, text);
  assert.match(text, /making a new one/);
  const [, sold, total] = /items_sold is (\d+) of (\d+)\./.exec(text)!;
  assert.equal(total, '50');
  assert.ok(Number(sold) > 0);
});

test('a rehearsal sells sales of its own, compares their books, and ends them', async () => {
  const { code, text } = await run('rehearse', '--times', '2', '--items', '7');
  assert.equal(code, 0, text);
  assert.match(text, /^ +1 +7 .*\n +2 +7 .*$/m);
  assert.match(text, /The books of every sale agree/);
  const { body } = await service.http.get('/sales?status=ended');
  const own = (body as { total_items: number; items_sold: number }[]).filter(
    ({ total_items }) => total_items === 7,
  );
  assert.deepEqual(
    own.map(({ items_sold }) => items_sold),
    [7, 7],
  );
});

test('a rehearsal says so where buyers must prove who they are', async () => {
  const guarded = await startService({ BUYER_SECRET: 's'.repeat(32) });
  const { code, text } = await runOn(guarded, 'rehearse', '--items', '3');
  assert.equal(code, 2, text);
  assert.match(text, /asks buyers for tokens, and this crowd has none/);
});
