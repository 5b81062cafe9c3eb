/**
 * `npm run pictures`: photographs the pages during a demo. The three of the README, into docs/pictures; with `--all FOLDER` each page at 320, 768
 * and 1440 pixels, light and dark, to be looked at.
 */
import { setMaxListeners } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../perf/browser.ts';
import { EXIT, runCommand } from '../perf/command.ts';
import { makeDataDir, startService } from '../perf/service.ts';
import { runDemo } from './sale.ts';

/** The build lies in dist/demo. */
const FOLDER = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
/** The sale is in full swing after so long, and lasts until the last picture. */
const SWING_MS = 30_000;
const SALE_S = { readme: 90, all: 400 } as const;
const WIDTHS = [320, 768, 1_440] as const;
const COLORS = ['light', 'dark'] as const;
const OWN = {
  NODE_ENV: '',
  DATABASE_URL: '',
  REDIS_URL: '',
  ADMIN_TOKEN: '',
  HOURLY_SALES: 'off',
  WORKERS: '2',
};

interface Studio {
  readonly browser: Browser;
  readonly url: string;
  readonly folder: string;
}

/** Opens a page and hands it over; closes it afterwards. */
async function visit(
  { browser, url }: Studio,
  path: string,
  options: BrowserContextOptions,
  look: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  await page.goto(`${url}/${path}`);
  await look(page).finally(() => context.close());
}

const shoot = (page: Page, folder: string, name: string, fullPage = false) =>
  page.screenshot({ path: join(folder, `${name}.png`), fullPage });

/** Puts what is left into the cart, `count` things of it. */
async function fill(page: Page, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    await page
      .getByRole('button', { name: /^Add to cart/ })
      .first()
      .click();
    await page.getByRole('button', { name: `Cart, ${i} item${i === 1 ? '' : 's'}` }).waitFor();
  }
}

async function buy(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Cart, / }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Buy now' }).click();
  await page.locator('.receipt').waitFor();
}

/** The three of the README. */
async function shootReadme(studio: Studio): Promise<void> {
  const { folder } = studio;
  await visit(studio, 'console', { viewport: { width: 1_100, height: 760 } }, async (page) => {
    await page.getByText('Purchases a second').waitFor();
    await sleep(SWING_MS);
    await shoot(page, folder, 'console');
  });
  await visit(studio, '', { viewport: { width: 1_100, height: 760 } }, async (page) => {
    await page.locator('.card').first().waitFor();
    await sleep(1_500);
    await shoot(page, folder, 'storefront');
    await fill(page, 2);
    await buy(page);
    await page.setViewportSize({ width: 390, height: 760 });
    await sleep(500);
    await shoot(page, folder, 'receipt');
  });
}

/** Every page, in every width and colour. */
async function shootAll(studio: Studio): Promise<void> {
  const { folder } = studio;
  for (const colorScheme of COLORS)
    for (const width of WIDTHS) {
      const view = { colorScheme, viewport: { width, height: 900 } };
      const name = (page: string) => `${page}-${width}-${colorScheme}`;
      await visit(studio, '', view, async (page) => {
        await page.locator('.card').first().waitFor();
        await sleep(500);
        await shoot(page, folder, name('storefront'));
        await fill(page, 2);
        await page.getByRole('button', { name: /^Cart, / }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Buy now' }).waitFor();
        await shoot(page, folder, name('cart'));
        await page.keyboard.press('Escape');
        await buy(page);
        await shoot(page, folder, name('receipt'), true);
        await page.getByRole('link', { name: 'Purchases' }).click();
        await page.getByRole('heading', { name: 'Your purchases' }).waitFor();
        await shoot(page, folder, name('purchases'));
      });
      await visit(studio, 'console', view, async (page) => {
        await page.getByText('Purchases a second').waitFor();
        await sleep(2_500);
        await page.getByText('A new sale').click();
        await page.getByRole('button', { name: 'Find' }).click();
        await page.locator('.orders summary').first().click();
        await shoot(page, folder, name('console'), true);
      });
    }
}

await runCommand('pictures', async () => {
  const { values } = parseArgs({ options: { all: { type: 'string' } } });
  const folder = values.all ?? FOLDER;
  mkdirSync(folder, { recursive: true });
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, OWN);
  const browser = await launchBrowser();
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const screen = { say() {}, print() {}, show() {} };
  const seconds = values.all === undefined ? SALE_S.readme : SALE_S.all;
  const selling = runDemo({ service, seconds, screen, signal: end.signal }).catch(() => {});
  try {
    const studio = { browser, url: service.url, folder };
    await sleep(values.all === undefined ? 0 : SWING_MS);
    await (values.all === undefined ? shootReadme : shootAll)(studio);
    return EXIT.ok;
  } finally {
    end.abort();
    await Promise.allSettled([browser.close(), selling, service.stop()]);
    remove();
  }
});
