/** The Chromium of this machine, which tests of pages, measurements and pictures drive. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Where it is; undefined when there is none. */
export function findBrowser(): string | undefined {
  const { PATH = '', CHROMIUM } = process.env;
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const paths = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return [...(CHROMIUM ? [CHROMIUM] : []), ...paths].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export const NO_BROWSER =
  'there is no Chromium: "apt-get install --no-install-recommends chromium" brings it';

/** Throws when there is none. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error(NO_BROWSER);
  // Root has no sandbox, and a container little shared memory.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
