/** `npm run perf -- first-view`: the storefront of a large sale in Chromium: bytes, and the time to its first goods. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './browser.ts';
import { EXIT, printTable, readCount, runCommand } from './command.ts';
import { median } from './ratio.ts';
import { makeDataDir, startService } from './service.ts';
import { createSale } from './shop.ts';

const HELP = `npm run perf -- first-view [options]

Opens the storefront anew, with an empty cache, and waits for pictures of goods.

  --items 10000
  --rounds 9               medians are shown`;

const USER_LIMIT = 10;
const LOOK_MS = 5;
const VIEW = { width: 1_440, height: 900 } as const;

interface View {
  /** From the click to the first paint that has something. */
  readonly paintedMs: number;
  /** To the first card whose picture is there. */
  readonly shownMs: number;
  /** Of all that was loaded until then, as it travelled. */
  readonly bytes: number;
  readonly requests: number;
}

/** Runs in the page: what it has loaded since somebody wanted it. */
const LOOK = `(() => {
  const loaded = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  return {
    paintedMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
    shownMs: performance.now(),
    bytes: loaded.reduce((sum, { transferSize }) => sum + transferSize, 0),
    requests: loaded.length,
  };
})()`;

const SHOWN = `(() => {
  const picture = document.querySelector('.card img');
  return picture !== null && picture.complete && picture.naturalWidth > 0;
})()`;

async function view(browser: Browser, url: string): Promise<View> {
  const context = await browser.newContext({ viewport: VIEW });
  try {
    const page = await context.newPage();
    await page.goto(url, { waitUntil: 'commit' });
    // As evaluations of the debugger: the page's policy lets nothing else run there.
    while (!(await page.evaluate<boolean>(SHOWN))) await sleep(LOOK_MS);
    return await page.evaluate<View>(LOOK);
  } finally {
    await context.close();
  }
}

await runCommand('first-view', async () => {
  const options = { rounds: { type: 'string' }, items: { type: 'string' } } as const;
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const items = readCount('items', values.items, 10_000);
  const rounds = readCount('rounds', values.rounds, 9);
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, { HOURLY_SALES: 'off', LOG_REQUESTS: 'debug' });
  const views: View[] = [];
  try {
    await createSale(service.url, items, USER_LIMIT);
    const browser = await launchBrowser();
    try {
      for (let round = 0; round < rounds; round++) views.push(await view(browser, `${service.url}/`));
    } finally {
      await browser.close();
    }
  } finally {
    await service.stop();
    remove();
  }
  const of = (figure: (each: View) => number) => Math.round(median(views.map(figure)));
  const most = (figure: (each: View) => number) => Math.round(Math.max(...views.map(figure)));
  const row = (name: string, unit: string, figure: (each: View) => number) => [
    name,
    `${of(figure)}${unit}`,
    `${most(figure)}${unit}`,
  ];
  console.log(`${items} goods, ${rounds} times with an empty cache:\n`);
  printTable([
    ['figure', 'median', 'most'],
    row('first paint', ' ms', ({ paintedMs }) => paintedMs),
    row('first good with its picture', ' ms', ({ shownMs }) => shownMs),
    row('loaded by then', ' B', ({ bytes }) => bytes),
    row('requests by then', '', ({ requests }) => requests),
  ]);
  return EXIT.ok;
});
