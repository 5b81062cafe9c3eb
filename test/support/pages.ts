/** What people do on the pages. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

export const card = (page: Page, name: string) => page.locator('.card', { hasText: name });
export const cartOf = (page: Page) => page.getByRole('dialog', { name: 'Your cart' });
export async function take(page: Page, name: string): Promise<void> {
  await card(page, name).getByRole('button').click();
  await card(page, name).getByRole('button', { name: 'In your cart' }).waitFor();
}
export async function buy(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Cart, / }).click();
  await cartOf(page).getByRole('button', { name: 'Buy now' }).click();
}
export const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });

/** What has the focus: its label, or else its text. */
export const focused = (page: Page) =>
  page.evaluate<string>('document.activeElement?.ariaLabel ?? document.activeElement?.textContent ?? ""');

/** Presses Tab until something of that label or text has the focus. */
export async function tabTo(page: Page, label: RegExp): Promise<void> {
  for (let i = 0; i < 40; i++) {
    if (label.test(await focused(page))) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not reach ${label}`);
}
