// Starts first: a browser takes its time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { assertAccessible, noBrowser, windowsOf } from '../support/browser.ts';
import { buy, card, cartOf, focused, heading, tabTo, take } from '../support/pages.ts';
import { signalAll, until } from '../support/processes.ts';
import { type Service, startService } from '../support/service.ts';
import { addShelf, fillCart, inSeconds, purchase } from '../support/shop.ts';

/** Buyers in real browsers, on a real service. */
const options = { skip: noBrowser };
const service = noBrowser
  ? undefined
  : await startService({ WORKERS: '2', HOURLY_SALES: 'off', BASE_PATH: '/shop' });
const { http, url } = service ?? ({} as Service);
const open = windowsOf(url);

const named = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, i) => ({ id: `thing-${i}`, name: `Thing ${i}`, ...more }));

test(
  'a buyer waits for the sale, which opens by itself, and has a receipt with an address',
  options,
  async () => {
    const { sale } = await addShelf(http, {
      ...{ name: 'Friday drop', currency: 'EUR', started_at: inSeconds(6), ended_at: inSeconds(900) },
      items: [{ id: 'shirt', name: 'Drop Shirt', price: 3_900, stock: 5 }, ...named(8, { price: 1_250 })],
    });
    const page = await open();
    await heading(page, 'Friday drop').waitFor();
    assert.match(await page.getByRole('timer').innerText(), /opens in\s+00:0\d/);
    assert.equal(await card(page, 'Drop Shirt').getByRole('button').getAttribute('aria-disabled'), 'true');
    await until('it is open', async () => /closes in/.test(await page.getByRole('timer').innerText()));
    await take(page, 'Drop Shirt');
    await take(page, 'Thing 3');
    await page.getByRole('button', { name: 'Cart, 2 items' }).click();
    await cartOf(page).getByRole('button', { name: 'One more: Drop Shirt' }).click();
    await cartOf(page).getByText('3 items · €90.50').waitFor();
    await cartOf(page).getByRole('button', { name: 'Buy now' }).click();
    await heading(page, 'It is yours').waitFor();
    assert.match(page.url(), /#\/receipts\/CHK-S-/);
    const address = page.url();
    assert.match(await page.getByRole('main').innerText(), /Drop Shirt × 2/);
    // Somebody else opens the address; another page of the buyer lists it.
    const other = await open(new URL(address).hash);
    await heading(other, 'It is yours').waitFor();
    await page.getByRole('link', { name: 'Purchases' }).click();
    await page.getByRole('link', { name: address.split('/').at(-1)! }).waitFor();
    await page.goto(`${url}/#/sales/${sale}`);
    await card(page, 'Drop Shirt').getByText('3 left').waitFor();
  },
);

test('two buyers and the last one: who is late sees it go, and is told so kindly', options, async () => {
  const { sale } = await addShelf(http, { items: named(3) });
  const [ada, bob, eve] = await Promise.all([1, 2, 3].map(() => open(`#/sales/${sale}`)));
  await take(ada!, 'Thing 1');
  await take(bob!, 'Thing 1');
  await take(bob!, 'Thing 2');
  await buy(ada!);
  await heading(ada!, 'It is yours').waitFor();
  // Nobody loads a page anew.
  await card(eve!, 'Thing 1').getByRole('button', { name: 'Sold' }).waitFor();
  await eve!.getByText('2 of 3 left').waitFor();
  await bob!.getByRole('button', { name: 'Cart, 2 items' }).click();
  await cartOf(bob!).getByText('Somebody was faster.').waitFor();
  await cartOf(bob!).getByRole('button', { name: 'Buy now' }).click();
  await heading(bob!, '1 item is yours').waitFor();
  await bob!.getByRole('heading', { name: 'Somebody was faster' }).waitFor();
});

test(
  'workers are killed while somebody buys: the page finds out what became of it, also when it is loaded anew',
  options,
  async () => {
    const { sale } = await addShelf(http, { items: named(4) });
    const [ada, bob] = await Promise.all([open(`#/sales/${sale}`), open(`#/sales/${sale}`)]);
    await take(ada!, 'Thing 0');
    await take(bob!, 'Thing 1');
    const pids = await service!.workers();
    await Promise.all([ada!, bob!].map((page) => page.getByRole('button', { name: /^Cart, / }).click()));
    await Promise.all([
      cartOf(ada!).getByRole('button', { name: 'Buy now' }).click(),
      cartOf(bob!).getByRole('button', { name: 'Buy now' }).click(),
      Promise.resolve().then(() => {
        for (const pid of pids) process.kill(pid, 'SIGKILL');
      }),
    ]);
    await until('it serves', async () => (await http.get('/readyz')).status === 200);
    await bob!.reload();
    // A busy machine takes its time to start workers.
    await heading(ada!, 'It is yours').waitFor({ timeout: 60_000 });
    await heading(bob!, 'It is yours').waitFor({ timeout: 60_000 });
  },
);

async function openCart(): Promise<Page> {
  const { sale } = await addShelf(http, { items: named(1) });
  const page = await open(`#/sales/${sale}`);
  await take(page, 'Thing 0');
  await page.getByRole('button', { name: 'Cart, 1 item' }).click();
  return page;
}

test('while the shop is away the buyer is told, and the purchase goes on by itself', options, async () => {
  const page = await openCart();
  signalAll(service!.server('redis'), 'SIGSTOP');
  try {
    await cartOf(page).getByRole('button', { name: 'Buy now' }).click();
    await cartOf(page).getByText('Nothing is bought twice').waitFor();
  } finally {
    signalAll(service!.server('redis'), 'SIGCONT');
  }
  await heading(page, 'It is yours').waitFor();
});

test(
  'whatever a gateway says in its place, the page posts the same code again, and not without a pause',
  options,
  async () => {
    const page = await openCart();
    let posts = 0;
    await page.route('**/purchase?*', (route) => {
      posts++;
      return route.fulfill({ status: 500, contentType: 'text/html', body: '<h1>500</h1>' });
    });
    await cartOf(page).getByRole('button', { name: 'Buy now' }).click();
    await until('it tries again', () => posts > 1);
    assert.ok(posts < 4, `${posts} posts`);
    await page.unroute('**/purchase?*');
    await heading(page, 'It is yours').waitFor();
  },
);

test(
  'units are held until the buyer has paid, with a clock; this service runs for development, so that the page has a button for it',
  options,
  async () => {
    const { sale } = await addShelf(http, { items: named(2), payment_seconds: 60 });
    const page = await open(`#/sales/${sale}`);
    await take(page, 'Thing 0');
    await buy(page);
    await heading(page, 'Held for you').waitFor();
    await page.getByText(/Waiting for your payment: 00:5\d left/).waitFor();
    await page.getByRole('button', { name: 'Pay (demo)' }).click();
    await heading(page, 'It is yours').waitFor();
  },
);

test('with a queue a buyer takes his place, waits, and comes in when it is his turn', options, async () => {
  const { sale } = await addShelf(http, { items: named(3), queue: { admit_per_second: 0 } });
  const page = await open(`#/sales/${sale}`);
  await page.getByRole('button', { name: 'Take your place' }).click();
  await page.getByText(/^Place 1/).waitFor();
  assert.equal(await card(page, 'Thing 0').getByRole('button').getAttribute('aria-disabled'), 'true');
  // The place outlives the page.
  await page.reload();
  await page.getByText(/^Place 1/).waitFor();
  const body = { queue: { admit_per_second: 5 } };
  assert.equal((await http.send('PATCH', `/admin/sales/${sale}`, { body })).status, 200);
  await page.getByText('It is your turn. Take what you like.').waitFor();
  await take(page, 'Thing 0');
  await buy(page);
  await heading(page, 'It is yours').waitFor();
});

test('the operator’s switch is seen: paused, going on, over', options, async () => {
  const { sale } = await addShelf(http, { items: named(2) });
  const page = await open(`#/sales/${sale}`);
  const change = async (body: object) =>
    assert.equal((await http.send('PATCH', `/admin/sales/${sale}`, { body })).status, 200);
  await card(page, 'Thing 0').waitFor();
  await change({ paused: true });
  await page.getByText('Paused for a moment').waitFor();
  assert.equal(await card(page, 'Thing 0').getByRole('button').getAttribute('aria-disabled'), 'true');
  await change({ paused: false });
  await page.getByText('Open until').waitFor();
  await take(page, 'Thing 0');
  await change({ ended_at: 'now' });
  await page.getByText('This sale is over', { exact: true }).waitFor();
});

test('behind a path both pages work, from their files to the receipt and the switch', options, async () => {
  const { sale } = await addShelf(http, { items: named(2) });
  const page = await open(`shop/#/sales/${sale}`);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.reload();
  await take(page, 'Thing 0');
  await buy(page);
  await heading(page, 'It is yours').waitFor();
  const console = await open('shop/console');
  await console.getByRole('button', { name: `Pause ${sale}` }).click();
  await console.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  await console.getByText(`${sale} is paused, on every worker.`).waitFor();
  assert.ok(asked.length > 20);
  assert.deepEqual(
    asked.filter((path) => !path.startsWith('/shop/')),
    [],
  );
});

test('names are text, whatever they hold', options, async () => {
  const name = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  const { sale } = await addShelf(http, {
    name,
    items: [{ id: 'x', name, image_url: 'https://elsewhere.example/x.png', data: { html: name } }],
  });
  const page = await open(`#/sales/${sale}`);
  await heading(page, name).waitFor();
  await take(page, name);
  await buy(page);
  await heading(page, 'It is yours').waitFor();
  await page.locator('.receipt').getByText(name).waitFor();
  await page.goto(`${url}/#/receipts/${encodeURIComponent('<b>"x')}`);
  await heading(page, 'No such purchase').waitFor();
});

test(
  'ten thousand goods: few cards, little to load, the last of them found by scrolling and by a search',
  options,
  async () => {
    const { sale } = await addShelf(http, { total_items: 10_000 });
    const page = await open(`#/sales/${sale}`, { viewport: { width: 1_440, height: 900 } });
    await page.locator('.card').first().waitFor();
    const bytes = await page.evaluate<number>(
      'performance.getEntriesByType("resource").reduce((sum, { transferSize }) => sum + transferSize, 0)',
    );
    assert.ok(bytes < 1 << 20, `${bytes} bytes`);
    const { body } = await http.get(`/sales/${sale}/items?limit=1000`);
    const middle = body[900] as { id: string; name: string };
    // From one end of what is read to the next, until there is no more.
    await until('the last one', async () => {
      await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
      return page.locator('.card[aria-posinset="10000"]').isVisible();
    });
    assert.equal(await page.locator('.card').last().getAttribute('aria-setsize'), '10000');
    assert.ok((await page.locator('.card').count()) < 80);
    await page.getByRole('searchbox').fill(middle.name.toLowerCase());
    await page.locator('.card').first().getByText(middle.name).waitFor();
    await page
      .getByRole('status')
      .getByText(/\d+ found/)
      .waitFor();
    const code = await fillCart(http, 'somebody', [middle.id], sale);
    assert.equal((await purchase(http, code)).status, 200);
    await page.getByRole('checkbox', { name: 'Only what is left' }).check();
    await until(
      'it is gone',
      async () =>
        (await page.locator('.card', { hasText: middle.name }).count()) !== 1 ||
        (await card(page, middle.name).innerText()).includes('Sold'),
    );
  },
);

test('with the keyboard alone, from the first Tab to the receipt', options, async () => {
  const { sale } = await addShelf(http, { items: named(3) });
  const page = await open(`#/sales/${sale}`);
  await card(page, 'Thing 0').waitFor();
  await tabTo(page, /^Skip to the goods/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^Add to cart/);
  await page.keyboard.press('Enter');
  await card(page, 'Thing 0').getByRole('button', { name: 'In your cart' }).waitFor();
  assert.equal(await focused(page), 'In your cart', 'the focus stays where it was');
  await page.keyboard.press('Enter');
  await cartOf(page).waitFor();
  await page.keyboard.press('Escape');
  await cartOf(page).waitFor({ state: 'hidden' });
  assert.equal(await focused(page), 'In your cart');
  await page.keyboard.press('Enter');
  await tabTo(page, /^Buy now/);
  await page.keyboard.press('Enter');
  await heading(page, 'It is yours').waitFor();
});

test(
  'axe finds nothing wrong, in light and dark, on a phone and on a wall; nothing is wider than 320 pixels',
  options,
  async () => {
    const { sale } = await addShelf(http, {
      ...{ name: 'Friday drop', currency: 'EUR' },
      items: [
        {
          id: 'shirt',
          name: 'Drop Shirt with a name that is longer than two lines of a card',
          price: 3_900,
          stock: 5,
        },
        ...named(20),
      ],
    });
    const gone = await fillCart(http, 'somebody', ['thing-1'], sale);
    await purchase(http, gone);
    for (const [colorScheme, width] of [
      ['light', 320],
      ['dark', 1_440],
    ] as const) {
      const page = await open(`#/sales/${sale}`, { colorScheme, viewport: { width, height: 800 } });
      await card(page, 'Thing 1').first().getByRole('button', { name: 'Sold' }).waitFor();
      const look = async (what: string) => {
        await assertAccessible(page, `${what}, ${colorScheme}, ${width}`);
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(wide <= width, `${what} is ${wide} wide`);
      };
      const name = `Thing ${width === 320 ? 2 : 3}`;
      await take(page, name);
      await look('goods');
      await page.getByRole('button', { name: 'Cart, 1 item' }).click();
      await look('cart');
      await cartOf(page).getByRole('button', { name: 'Buy now' }).click();
      await heading(page, 'It is yours').waitFor();
      await look('receipt');
      await page.getByRole('link', { name: 'Purchases' }).click();
      await heading(page, 'Your purchases').waitFor();
      await look('purchases');
    }
  },
);
