/**
 * A drop from the upload of its goods to the export of its orders, as a shop's own program would run it: docs/a-drop.md tells it.
 * It plays the shop, its buyers, its payment provider and the receiver of its webhooks, against a service that runs.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createShop, Refusal } from 'flashsale/client';
import { Webhook } from 'standardwebhooks';

const { SHOP_URL = 'http://127.0.0.1:8080/', ADMIN_TOKEN, WEBHOOK_SECRET, HOOK_PORT = '9099' } = process.env;

/** A request to the admin API, with its token; sent again when nothing has happened (503). Throws what is not 2xx. */
async function admin(method, path, { body, type = 'application/json', accept, tries = 10 } = {}) {
  const headers = {
    ...(ADMIN_TOKEN && { Authorization: `Bearer ${ADMIN_TOKEN}` }),
    ...(body !== undefined && { 'Content-Type': type }),
    ...(accept && { Accept: accept }),
  };
  const answer = await fetch(new URL(path, SHOP_URL), { method, headers, body });
  const text = await answer.text();
  if (answer.status === 503 && tries > 1) {
    await sleep(Number(answer.headers.get('Retry-After')) * 1_000);
    return admin(method, path, { body, type, accept, tries: tries - 1 });
  }
  if (!answer.ok) throw Object.assign(new Error(text), { problem: JSON.parse(text) });
  return accept ? text : JSON.parse(text);
}

// The receiver of webhooks keeps the last event of each purchase. Events of one purchase come in their order, each at least once.
const orders = new Map();
const webhook = new Webhook(WEBHOOK_SECRET);
let receiver;
async function openReceiver() {
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const event = webhook.verify(body, request.headers);
    if (event.data.code) orders.set(event.data.code, event.data);
    response.writeHead(204).end();
  });
  await once(receiver.listen(Number(HOOK_PORT), '127.0.0.1'), 'listening');
}
function closeReceiver() {
  receiver.close();
  receiver.closeAllConnections();
}

// 1. Upload a table, as a spreadsheet saves it. The sale opens in two seconds, and each purchase waits ten for its payment.
const table = [
  'id;name;stock;price',
  'poster;Signed Poster;1;12000',
  'tee-m;"Drop Tee; M";40;3900',
  'tee-l;"Drop Tee; L";40;3900',
  'cap;Drop Cap;20;2500',
];
async function upload() {
  const facts = new URLSearchParams({
    name: 'Friday drop',
    currency: 'EUR',
    user_limit: '3',
    payment_seconds: '10',
    started_at: new Date(Date.now() + 2_000).toISOString(),
    ended_at: new Date(Date.now() + 600_000).toISOString(),
  });
  const body = `\uFEFF${table.join('\r\n')}\r\n`;
  const { data } = await admin('POST', `/admin/sales?${facts}`, { body, type: 'text/csv' });
  return data;
}

// 2. A buyer takes what is there, buys it, and pays, or not.
async function buyer(sale, n, item, quantity, payment) {
  const shop = createShop({ baseUrl: SHOP_URL, user: `buyer-${n}` });
  const cart = await shop.checkout(item, { sale, quantity });
  const receipt = await shop.buy(cart.code);
  if (receipt.success && payment) await admin('POST', `/admin/purchases/${cart.code}/${payment}`);
  return { ...cart, ...receipt };
}
/** Buyers at once, each of whom may come too late. One in ten has a payment that fails. */
async function crowd(sale, from, to) {
  const goods = ['tee-m', 'tee-l', 'cap'];
  const buyers = Array.from({ length: to - from }, (_, i) => {
    const n = from + i;
    const payment = n % 10 === 3 ? 'release' : 'confirm';
    return buyer(sale, n, goods[n % goods.length], 1 + (n % 2), payment).catch((error) => {
      if (!(error instanceof Refusal)) throw error;
      return { success: false, refused: error.code };
    });
  });
  const done = await Promise.all(buyers);
  return done.filter(({ success }) => success).length;
}

/** Waits for something that the service does by itself. */
async function until(what, isSo) {
  for (const end = Date.now() + 60_000; !(await isSo()); await sleep(100))
    if (Date.now() > end) throw new Error(`not within a minute: ${what}`);
}

await openReceiver();
const { id: sale, started_at, total_items } = await upload();
console.log(`${sale} opens at ${started_at} with ${total_items} units.`);
const shop = createShop({ baseUrl: SHOP_URL });
await until('the sale is open', async () => (await shop.sale(sale)).state === 'active');

const poster = await buyer(sale, 'ada', 'poster', 1, 'confirm');
const late = await buyer(sale, 'late', 'cap', 2);
console.log(`${await crowd(sale, 0, 30)} of 30 buyers have bought.`);

// 3. Pause: from the answer on nothing is decided anywhere. Resume when it is good again.
await admin('PATCH', `/admin/sales/${sale}`, { body: JSON.stringify({ paused: true }) });
const paused = await shop.checkout('cap', { sale, user: 'eve' }).catch((error) => error);
assert.equal(paused.code, 'sale_paused');
await admin('PATCH', `/admin/sales/${sale}`, { body: JSON.stringify({ paused: false }) });
console.log('Paused, and resumed.');

// 4. The receiver dies while the rest is sold. Nobody waits for it.
closeReceiver();
console.log(`${await crowd(sale, 30, 90)} of 60 more buyers have bought, and nobody heard of it.`);

// 5. "Where is my order?" Find it by its buyer, and take it back: it can be bought again at once, through every worker.
const [order] = await admin('GET', `/admin/sales/${sale}/purchases?user_id=buyer-ada`);
assert.equal(order.code, poster.code);
const cancellation = { reason: 'sent twice by mistake' };
await admin('POST', `/admin/purchases/${order.code}/cancel`, { body: JSON.stringify(cancellation) });
await until('somebody else has the poster', () =>
  buyer(sale, 'bob', 'poster', 1, 'confirm').then(
    ({ success }) => success,
    (error) => {
      if (!['item_already_sold', 'sale_sold_out'].includes(error.code)) throw error;
      return false;
    },
  ),
);
console.log('The poster of ada is cancelled, and bob has it.');

// 6. A payment that comes too late: the units were released when its time ran out.
await until('the payment is released', async () => (await shop.receipt(late.code)).state === 'released');
const tooLate = await admin('POST', `/admin/purchases/${late.code}/confirm`).catch((error) => error);
assert.equal(tooLate.problem.code, 'payment_released');
console.log('A payment that came too late is refused: the shop pays it back.');

// 7. End, and let the receiver hear of all that it has missed.
await admin('PATCH', `/admin/sales/${sale}`, { body: JSON.stringify({ ended_at: 'now' }) });
await openReceiver();
await admin('POST', '/admin/webhooks/dead/retry');

// 8. Export, and compare: the export and the webhooks tell the same, to the cent.
const rows = await admin('GET', `/admin/sales/${sale}/purchases`, { accept: 'application/x-ndjson' });
const exported = rows
  .trimEnd()
  .split('\n')
  .map((row) => JSON.parse(row));
const isPaid = ({ state }) => state === 'confirmed' || state === 'partly_cancelled';
const centsOf = (purchases) =>
  purchases
    .filter(isPaid)
    .flatMap(({ purchased_items }) => purchased_items.filter(({ sold }) => sold))
    .reduce((sum, { price, quantity = 1, cancelled = 0 }) => sum + price * (quantity - cancelled), 0);
const isTold = ({ code, state }) => orders.get(code)?.state === state;
await until('the receiver has heard of everything', () => exported.every(isTold));
const cents = centsOf(exported);
assert.equal(centsOf([...orders.values()].filter(({ sale_id }) => sale_id === sale)), cents);
const { items_sold } = await shop.sale(sale);
console.log(`${items_sold} units are sold for ${(cents / 100).toFixed(2)} EUR; export and webhooks agree.`);
closeReceiver();
