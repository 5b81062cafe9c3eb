import { existsSync } from 'node:fs';

/** The folder of this release, which has `lua`, `sql`, `dist` and its package.json: the nearest above this module that has one. */
export const ROOT: URL = findRoot(new URL('.', import.meta.url));

function findRoot(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder;
  const above = new URL('..', folder);
  if (above.href === folder.href) throw new Error(`there is no package.json above ${import.meta.url}`);
  return findRoot(above);
}
