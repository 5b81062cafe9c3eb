// Starts first: a browser takes its time.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { SECRET } from '../../campaigns/faults/receiver.ts';
import { createShop } from '../../client/index.ts';
import { atEnd } from '../support/at-end.ts';
import { assertAccessible, noBrowser, windowsOf } from '../support/browser.ts';
import { startCrowd } from '../support/crowd.ts';
import { focused, tabTo } from '../support/pages.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, fillCart, purchase } from '../support/shop.ts';

/** An operator in a real browser, and who would like to be one. */
const TOKEN = 's3cret';
/** Takes webhooks, or is gone for good: then each is a failed one at once. */
const receiver = { isGone: false, heard: 0 };
const hooks = createServer((req, res) => {
  receiver.heard++;
  req.resume();
  res.writeHead(receiver.isGone ? 410 : 204).end();
});
await once(hooks.listen(0, '127.0.0.1'), 'listening');
atEnd(() => void hooks.close().closeAllConnections());
const service = await startService({
  ...{ WORKERS: '2', ADMIN_TOKEN: TOKEN, HOURLY_SALES: 'off', WEBHOOK_SECRET: SECRET, WEBHOOK_PRIVATE: 'on' },
  WEBHOOK_URL: `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/`,
});
const { http, url } = service;
const admin = { Authorization: `Bearer ${TOKEN}` };
const options = { skip: noBrowser };
const open = windowsOf(url);

async function openConsole(): Promise<Page> {
  const page = await open('console');
  await page.getByLabel('Admin token').fill(TOKEN);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('All is well.').waitFor();
  return page;
}
/** Presses a button of a sale, and says yes. */
async function act(page: Page, label: string, sale: string): Promise<void> {
  await page.getByRole('button', { name: `${label} ${sale}`, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: label, exact: true }).click();
}

test(
  'the console’s switch stops a sale, seen in both windows; each action is asked for once, said, and noted',
  options,
  async () => {
    const { sale, items } = await addShelf(http, { total_items: 5, payment_seconds: 600 }, admin);
    await purchase(http, await fillCart(http, 'ada', [items[0]!], sale));
    const [page, buyer] = await Promise.all([openConsole(), open(`#/sales/${sale}`)]);
    await buyer.getByText('Open until').waitFor();
    await page.getByRole('button', { name: `Pause ${sale}` }).click();
    await page.getByRole('button', { name: 'Leave it' }).click();
    assert.equal(
      (await http.get(`/sales/${sale}`)).body.state,
      'active',
      'nothing happens before the answer',
    );
    await act(page, 'Pause', sale);
    await page.getByText(`${sale} is paused, on every worker.`).waitFor();
    await buyer.getByText('Paused for a moment').waitFor();
    await act(page, 'Resume', sale);
    await buyer.getByText('Open until').waitFor();

    await page.locator('#order-sale').selectOption(sale);
    await page.locator('#order-words').fill('ada');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByText('1 order', { exact: true }).waitFor();
    await page.locator('.orders summary').click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click();
    await page.locator('.orders .pill', { hasText: 'confirmed' }).waitFor();
    await page.locator('.orders summary').click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.locator('.orders .pill', { hasText: 'cancelled' }).waitFor();
    await page.locator('.orders summary').click();
    const story = await page.getByRole('list', { name: 'What became of it' }).innerText();
    assert.match(story, /1 line was bought\.\s+Paid; .*\s.*Cancelled: 1 × .* back on the shelf\./);
    // It can be bought again.
    await buyer.getByText('5 of 5 left').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export as CSV' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `${sale}.csv`);
    await page.getByRole('row', { name: /console 127\.0\.0\.1 PATCH .*"paused":false/ }).waitFor();
    // Payments are many: they are shown to who asks for them.
    const confirmed = page.getByRole('row', { name: /console 127\.0\.0\.1 POST .*\/confirm/ });
    assert.equal(await confirmed.count(), 0);
    await page.getByLabel('Payments, confirmed or released, too').check();
    await confirmed.first().waitFor();
    await act(page, 'End', sale);
    await buyer.getByText('This sale is over', { exact: true }).waitFor();
  },
);

test(
  'a sale is made from a table, looked at before: faults are named by line, what is good is shown; names are text',
  options,
  async () => {
    const page = await openConsole();
    await page.getByText('A new sale').click();
    const table = page.getByLabel(/^Items, as CSV/);
    await table.fill('id,name,stock\na,Good,1\na,Again,x\n');
    await page.locator('.faults', { hasText: /line 3.*stock/s }).waitFor();
    await page.getByRole('button', { name: 'Make the sale' }).click();
    assert.equal(await page.getByRole('dialog').count(), 0, 'nobody is asked about what is wrong');
    const csv = Buffer.from('id,name,stock\nx,<img src=x onerror=alert(1)>,3\n');
    await page.getByLabel('Or a file').setInputFiles({ name: 'drop.csv', mimeType: 'text/csv', buffer: csv });
    await page.getByText('3 units: <img src=x onerror=alert(1)> × 3').waitFor();
    await page.locator('[name=name]').fill('<script>alert(1)</script>');
    await page.getByLabel(/^Queue: admitted/).fill('0');
    await page.getByRole('button', { name: 'Make the sale' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
    const said = await page.getByText(/^S-[0-9a-f]{10} is made\.$/).innerText();
    const sale = said.slice(0, 12);
    // Nobody is admitted yet.
    await page.getByRole('button', { name: `Queue rate ${sale}` }).click();
    await page.getByLabel('Buyers admitted per second').fill('50');
    await page.getByRole('button', { name: 'Set it' }).click();
    await page.getByText(`${sale} admits 50 a second.`).waitFor();
    await page.getByRole('button', { name: `More stock ${sale}` }).click();
    await page.getByLabel('Item', { exact: true }).fill('x');
    await page.getByLabel('Units in all').fill('2');
    await page.getByRole('button', { name: 'Add it' }).click();
    await page.locator('dialog .faults', { hasText: 'stock' }).waitFor();
    await page.getByLabel('Units in all').fill('5');
    await page.getByRole('button', { name: 'Add it' }).click();
    await page.getByText(`${sale} has 2 units more: 5 in all.`).waitFor();
    const user = '<b>ada</b>';
    const shop = createShop({ baseUrl: `${url}/`, user });
    const { ticket } = await shop.joinQueue(sale);
    await shop.waitForTurn(ticket);
    await shop.buy((await shop.checkout('x', { sale, ticket })).code);
    await page.locator('#order-sale').selectOption(sale);
    await page.getByRole('button', { name: 'Find' }).click();
    await page.locator('.orders strong', { hasText: user }).waitFor();
  },
);

test(
  'orders are found by code and by item; a release puts units back; a sale is extended',
  options,
  async () => {
    const { sale, items } = await addShelf(http, { total_items: 3, payment_seconds: 600 }, admin);
    const code = await fillCart(http, 'ada', [items[0]!], sale);
    await purchase(http, code);
    await purchase(http, await fillCart(http, 'bob', [items[1]!], sale));
    const page = await openConsole();
    const find = async (by: string, words: string, buyer: string) => {
      await page.locator('#order-by').selectOption({ label: by });
      await page.locator('#order-words').fill(words);
      await page.getByRole('button', { name: 'Find' }).click();
      await page.getByText('1 order', { exact: true }).waitFor();
      await page.locator('.orders strong', { hasText: buyer }).waitFor();
    };
    await page.locator('#order-sale').selectOption(sale);
    await find('Item', items[1]!, 'bob');
    await find('Code', code, 'ada');
    await page.locator('.orders summary').click();
    await page.getByRole('button', { name: 'Release' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await page.locator('.orders .pill', { hasText: 'released' }).waitFor();
    await page.locator('.orders summary').click();
    await page.getByText('Released: no payment came, and its units went back.').waitFor();
    await until('it is back', async () => (await http.get(`/sales/${sale}`)).body.items_held === 1);

    const before = Date.parse((await http.get(`/sales/${sale}`)).body.ended_at);
    await act(page, 'Extend', sale);
    await page.getByText(`${sale} closes ten minutes later.`).waitFor();
    assert.equal(Date.parse((await http.get(`/sales/${sale}`)).body.ended_at) - before, 600_000);
  },
);

test('the console’s switch stops a running crowd, seen in both windows', options, async () => {
  const { sale, items } = await addShelf(http, { total_items: 500 }, admin);
  const crowd = startCrowd(url, sale, items);
  const sold = async () => (await http.get(`/sales/${sale}`)).body.items_sold as number;
  try {
    const [page, window] = await Promise.all([openConsole(), open(`#/sales/${sale}`)]);
    await until('they buy', async () => (await sold()) > 10);
    await act(page, 'Pause', sale);
    await page.getByText(`${sale} is paused, on every worker.`).waitFor();
    const stopped = await sold();
    assert.ok(stopped < items.length, 'there is something left to sell');
    await page.getByRole('row', { name: new RegExp(`${sale} paused`) }).waitFor();
    await window.getByText('Paused for a moment').waitFor();
    assert.equal(await sold(), stopped, 'nothing was sold after the answer');
    await act(page, 'Resume', sale);
    await window.getByText('Open until').waitFor();
    await until('they buy again', async () => (await sold()) > stopped);
  } finally {
    await crowd.stop();
  }
});

test('webhooks that failed are told, and sent again', options, async () => {
  const { sale, items } = await addShelf(http, { total_items: 2 }, admin);
  const page = await openConsole();
  receiver.isGone = true;
  await purchase(http, await fillCart(http, 'ada', [items[0]!], sale));
  await page.getByText('Webhooks could not be delivered: see below.').waitFor();
  await page.getByText(/^purchase\.completed .*410, 1 try$/).waitFor();
  receiver.isGone = false;
  const { heard } = receiver;
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page.getByText(/events? (is|are) sent again\.$/).waitFor();
  await until('they came', () => receiver.heard > heard);
  await page.getByRole('heading', { name: 'Webhooks that failed' }).waitFor({ state: 'hidden' });
  await page.getByText('All is well.').waitFor();
});

test('with the keyboard alone: log in, pause a sale, and let go of a question', options, async () => {
  const { sale } = await addShelf(http, { total_items: 2 }, admin);
  const page = await open('console');
  // The field has the focus already.
  await page.getByLabel('Admin token').waitFor();
  await page.keyboard.type(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: `Pause ${sale}` }).waitFor();
  await tabTo(page, new RegExp(`^Pause ${sale}`));
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await focused(page), `Pause ${sale}`, 'the focus is where it was');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.getByText(`${sale} is paused, on every worker.`).waitFor();
});

test('a killed worker is told in words, with what to do', options, async () => {
  const page = await openConsole();
  const [pid] = await service.workers();
  process.kill(pid!, 'SIGKILL');
  await page.getByText('A worker has died; another takes its place.').waitFor();
});

test(
  'a wrong token opens nothing; logging out ends it; axe finds nothing wrong on a phone and on a wall',
  options,
  async () => {
    await addShelf(http, { total_items: 5 }, admin);
    for (const [colorScheme, width] of [
      ['light', 320],
      ['dark', 1_440],
    ] as const) {
      const page = await open('console', { colorScheme, viewport: { width, height: 800 } });
      await page.getByLabel('Admin token').fill('wrong');
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByText('This is not the admin token.').waitFor();
      await assertAccessible(page, `login, ${colorScheme}`);
      await page.getByLabel('Admin token').fill(TOKEN);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByRole('heading', { name: 'Who did what' }).waitFor();
      await page.locator('.tiles').waitFor();
      await page.getByText('A new sale').click();
      await page.waitForTimeout(1_500);
      await assertAccessible(page, `console, ${colorScheme}`);
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
      assert.ok(wide <= width, `${wide} wide`);
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Admin token').waitFor();
      await page.reload();
      await page.getByLabel('Admin token').waitFor();
    }
  },
);
