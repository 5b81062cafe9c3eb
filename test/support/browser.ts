import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { findBrowser, launchBrowser, NO_BROWSER } from '../../perf/browser.ts';
import { atEnd } from './at-end.ts';

/** Says so where tests of pages cannot run. */
export const noBrowser = findBrowser() === undefined && NO_BROWSER;
// Nobody reads there what was skipped.
if (noBrowser && process.env.CI) throw new Error(noBrowser);

let browser: Promise<Browser> | undefined;

/** A page of a browser of its own, as another person has. `seen` is what must not be seen there. */
interface Window {
  readonly page: Page;
  /** Errors of scripts, what the policy refused, and requests to other hosts. */
  readonly seen: string[];
}

async function openWindow(url: string, options: BrowserContextOptions = {}): Promise<Window> {
  browser ??= launch();
  const context = await (await browser).newContext({ locale: 'en-GB', ...options });
  const page = await context.newPage();
  const seen: string[] = [];
  page.on('pageerror', (error) => seen.push(String(error.stack)));
  page.on('console', (message) => {
    // A status that is no 2xx is told here as well: the page deals with it.
    const isStatus = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !isStatus) seen.push(message.text());
  });
  page.on('dialog', (dialog) => {
    seen.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) seen.push(request.url());
  });
  page.setDefaultTimeout(20_000);
  return { page, seen };
}

/**
 * How to open pages of a service, each in a window of its own, which closes when its test ends: it would go on asking and drawing.
 * Nothing was seen in any that must not be.
 */
export function windowsOf(url: string) {
  const windows: Window[] = [];
  afterEach(async () => {
    const closing = windows.splice(0);
    await Promise.all(closing.map(({ page }) => page.context().close()));
    assert.deepEqual(
      closing.flatMap(({ seen }) => seen),
      [],
      'no error, no dialog, nothing that the policy refused, no request to another host',
    );
  });
  return async (path = '', options: BrowserContextOptions = {}): Promise<Page> => {
    const window = await openWindow(url, options);
    windows.push(window);
    await window.page.goto(`${url}/${path}`);
    return window.page;
  };
}

function launch(): Promise<Browser> {
  const launched = launchBrowser();
  atEnd(async () => (await launched).close());
  return launched;
}

/** Asserts that axe finds nothing wrong with the page as it is. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  // As an evaluation of the debugger, which the page's policy does not bind.
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe: here } = globalThis as unknown as { axe: typeof axe };
    const { violations } = await here.run();
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help} ${nodes.map(({ html }) => html).join(' ')}`,
    );
  });
  assert.deepEqual(found, [], what);
}
