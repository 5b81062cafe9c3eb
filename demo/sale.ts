/** The sale of the demo, from its countdown to its books. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createShop, type LiveMessage, type Shop } from '../client/index.ts';
import { EXIT } from '../perf/command.ts';
import type { ServiceFile } from '../src/primary/service-file.ts';
import { type BackOffice, openBackOffice } from './back-office.ts';
import { compareBooks } from './books.ts';
import { type Crowd, openCrowd } from './crowd.ts';
import { goodsOf } from './goods.ts';
import { killWorker } from './kill.ts';
import type { Screen } from './screen.ts';

export interface DemoOptions {
  readonly service: ServiceFile;
  /** How long the sale is open. */
  readonly seconds: number;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** Whoever comes sees the countdown, of so long or of a quarter of the sale. */
const COUNTDOWN_MS = 10_000;
const UNITS_PER_SECOND = 5;
/** The crowd wants more than there is. */
const WANTED = 1.2;
/** How much sooner than evenly they come: 1 would be evenly. */
const PACE = 1.5;
/** After this part of the time nobody comes any more. */
const CROWD_ENDS = 0.9;
/** When a worker is killed; the second time in a longer sale only. */
const KILLS = [0.3, 0.7] as const;
const LONG_S = 120;
const PAYMENT_S = { min: 10, max: 45 } as const;
/** The leader looks for payments that ran out each second. */
const SETTLED_MS = 15_000;
const BEAT_MS = 100;
const ROW_MS = 1_000;

interface Stage extends DemoOptions {
  readonly sale: string;
  readonly shop: Shop;
  readonly crowd: Crowd;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly units: number;
  /** What the service told last. */
  readonly now: () => LiveMessage | undefined;
}

/** Runs the demo on a service, and returns the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { service, seconds, screen, signal } = options;
  const { url } = service;
  const office = openBackOffice(url);
  const goods = goodsOf(seconds * UNITS_PER_SECOND);
  const units = goods.reduce((sum, { stock }) => sum + stock, 0);
  const startsAtMs = Date.now() + Math.min(COUNTDOWN_MS, seconds * 250);
  const endsAtMs = startsAtMs + seconds * 1_000;
  const paymentS = Math.max(PAYMENT_S.min, Math.min(PAYMENT_S.max, Math.round(seconds / 10)));
  const sale = await office.makeSale({ items: goods, startsAtMs, endsAtMs, paymentS });
  const shop = createShop({ baseUrl: url });
  const crowd = openCrowd({ goods, sale, url, office, paymentMs: paymentS * 1_000, signal });
  let now: LiveMessage | undefined;
  void (async () => {
    for await (const message of shop.live(sale, { signal })) {
      now = message;
      crowd.heard(message.items);
    }
  })().catch(() => {});
  screen.print([
    '',
    `Storefront   ${url}/          buy something, beside the crowd`,
    `Console      ${url}/console   watch it; pause it, and the crowd stands still`,
    '',
    `Demo drop opens in ${Math.round((startsAtMs - Date.now()) / 1_000)} s, for ${spanOf(seconds)}: ${units.toLocaleString('en')} units of ${goods.length} things. Ctrl-C ends the demo.`,
    '',
  ]);
  await sell({ ...options, sale, shop, crowd, startsAtMs, endsAtMs, units, now: () => now });
  await crowd.leave();
  await untilSettled(office, sale, paymentS * 1_000, screen, signal);
  return tellBooks(options, { office, shop, sale, crowd });
}

/** Lets the crowd come, most of it at first, and kills workers meanwhile. */
async function sell(stage: Stage): Promise<void> {
  const { screen, crowd, signal, seconds, startsAtMs, endsAtMs, units, now } = stage;
  await sleep(Math.max(0, startsAtMs - Date.now()), undefined, { signal });
  screen.say('It is open, and the crowd comes.');
  const people = units * WANTED;
  const kills = [...KILLS.slice(0, seconds >= LONG_S ? KILLS.length : 1)];
  let came = 0;
  let killing = Promise.resolve();
  let shownMs = 0;
  const isOver = () => now()?.state === 'ended' || (now()?.items_left === 0 && now()?.items_held === 0);
  for (; Date.now() < endsAtMs && !isOver(); await sleep(BEAT_MS, undefined, { signal })) {
    const share = (Date.now() - startsAtMs) / (endsAtMs - startsAtMs);
    const rest = Math.max(0, 1 - share / CROWD_ENDS);
    for (const due = people * (1 - rest ** PACE); came < due; came++)
      if (now()?.state !== 'paused') crowd.come();
    if (share >= (kills[0] ?? 1)) {
      kills.shift();
      killing = killing.then(() => killWorker(stage.service.url, crowd, screen, signal));
      // It is awaited below; where the demo is ended before, nobody needs to hear of it.
      killing.catch(() => {});
    }
    if (Date.now() - shownMs < ROW_MS) continue;
    shownMs = Date.now();
    const { items_sold: sold = 0, items_held: held = 0, items_left: left = units } = now() ?? {};
    const counts = [`${sold} sold`, `${held} held`, `${left} left`, `${crowd.refusals} times too late`];
    screen.show(sold / units, counts.join(', '));
  }
  await killing;
  screen.say(isOver() && now()?.state !== 'ended' ? 'Everything is sold.' : 'The sale is over.');
}

/** Until each payment came, failed, or ran out. */
async function untilSettled(
  office: BackOffice,
  sale: string,
  paymentMs: number,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const endMs = Date.now() + paymentMs + SETTLED_MS;
  let isSaid = false;
  for (;;) {
    const pending = (await office.orders(sale)).filter(({ state }) => state === 'pending').length;
    if (pending === 0 || Date.now() > endMs) return;
    if (!isSaid)
      screen.say(`${countOf(pending)} not paid yet; ${paymentMs / 1_000} s, and their units are free.`);
    isSaid = true;
    await sleep(ROW_MS, undefined, { signal });
  }
}

const countOf = (pending: number) => (pending === 1 ? '1 purchase is' : `${pending} purchases are`);

interface Told {
  readonly office: BackOffice;
  readonly shop: Shop;
  readonly sale: string;
  readonly crowd: Crowd;
}

async function tellBooks(
  { service, screen }: DemoOptions,
  { office, shop, sale, crowd }: Told,
): Promise<number> {
  const { items_sold: sold, items_held: held = 0, total_items: total } = await shop.sale(sale);
  const stocks = new Map<string, number>();
  for await (const page of shop.allItems({ sale }))
    for (const { id, stock = 1 } of page) stocks.set(id, stock);
  const orders = await office.orders(sale);
  const { words, differences } = await compareBooks({ service, sale, stocks, orders, told: crowd.told });
  const counts = `${total} units: ${sold} sold, ${held} held for payments, ${total - sold - held} left.`;
  screen.print(['', `The books of ${sale}`, counts, ...words]);
  if (differences.length === 0) screen.print(['The books agree.', '']);
  else
    screen.print([`The books differ (${differences.length}):`, ...differences.map((each) => `- ${each}.`)]);
  return differences.length === 0 ? EXIT.ok : EXIT.differs;
}

const spanOf = (seconds: number): string =>
  seconds % 60 === 0 ? `${seconds / 60} minute${seconds === 60 ? '' : 's'}` : `${seconds} seconds`;
