import { readFileSync } from 'node:fs';

/** The version of this release; package.json lies above dist/src. */
export const VERSION: string = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
).version;
