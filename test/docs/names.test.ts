import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { at, COMMENT_LINES, FILES, type Line, PAGE_LINES, PAGES, read } from './texts.ts';

/** What a page or a comment names is there: files, anchors, commands. */

const NAME =
  /(?<![\w./:@{}*<-])(?:\.{0,2}\/)?(?:[\w@.-]+\/)*[\w@.-]*\w\.(?:ts|mjs|js|md|lua|sql|json|ya?ml|conf|svg|png|service)\b(?![\w/(])/g;
/** Files that the service makes, and files of other programs and of npm packages. */
const ELSEWHERE = new Set([
  'service.json',
  'redis.conf',
  'postgresql.auto.conf',
  'pg_hba.conf',
  'journald.conf',
]);

/** What is compiled is named by its source. */
const sourceOf = (name: string) =>
  name
    .replace(/^dist\/service\//, 'src/')
    .replace(/^dist\//, '')
    .replace(/\.js$/, '.ts');

/** Whether a name is that of a file: from the root, from the folder of the text, or the end of one path. */
function isThere(name: string, from: string): boolean {
  const source = sourceOf(name);
  const near = posix.normalize(posix.join(posix.dirname(from), source));
  return FILES.some(
    (path) => path === near || path === source || path.endsWith(`/${source.replace(/^\.?\//, '')}`),
  );
}

/** The files that a text names; URLs, routes and paths of the machine are none. */
const namesIn = (text: string) =>
  [...text.replace(/\b[a-z]+:\/\/\S+/g, '').matchAll(NAME)]
    .map(([name]) => name)
    .filter((name) => !name.startsWith('/'));

const namingNothing = (lines: readonly Line[]) =>
  lines.flatMap((line) =>
    namesIn(line.text)
      .filter((name) => !ELSEWHERE.has(posix.basename(name)) && !isThere(name, line.path))
      .map((name) => `${name} in ${at(line)}`),
  );

test('every file that a page names is there', () => {
  assert.ok(PAGE_LINES.flatMap(({ text }) => namesIn(text)).length > 100);
  assert.deepEqual(namingNothing(PAGE_LINES), []);
});

test('every file that a comment names is there', () => {
  assert.ok(COMMENT_LINES.flatMap(({ text }) => namesIn(text)).length > 30);
  assert.deepEqual(namingNothing(COMMENT_LINES), []);
});

test('every folder that a page names is there', () => {
  const FOLDER = /^(src|test|perf|campaigns|checks|monitoring|deploy|scripts|sql|lua|docs)(\/[\w-]+)*\/?$/;
  const named = PAGE_LINES.flatMap((line) =>
    [...line.text.matchAll(/`([\w/-]+)`/g)]
      .map(([, span = '']) => ({ line, folder: span.replace(/\/$/, '') }))
      .filter(({ folder }) => FOLDER.test(folder)),
  );
  assert.ok(named.length > 20);
  assert.deepEqual(
    named
      .filter(({ folder }) => !FILES.some((path) => path.startsWith(`${folder}/`)))
      .map(({ folder, line }) => `${folder} in ${at(line)}`),
    [],
  );
});

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): string[] {
  const text = read(page).replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('every link leads to a file and a heading', () => {
  const links = PAGE_LINES.flatMap((line) =>
    [...line.text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ line, target })),
  ).filter(({ target }) => !/^[a-z]+:/.test(target));
  assert.ok(links.length > 100);
  const broken = links.filter(({ line, target }) => {
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? line.path : posix.normalize(posix.join(posix.dirname(line.path), file));
    const isFile = FILES.some((each) => each === path || each.startsWith(`${path}/`));
    return !isFile || (anchor !== undefined && !anchorsOf(path).includes(anchor));
  });
  assert.deepEqual(
    broken.map(({ line, target }) => `${target} in ${at(line)}`),
    [],
  );
});

test('every anchor that a comment or a rule names is a heading', () => {
  const named = [
    ...COMMENT_LINES,
    ...FILES.filter((path) => /\.(ya?ml)$/.test(path)).flatMap(linesIn),
  ].flatMap((line) =>
    [...line.text.matchAll(/([\w/.-]+\.md)#([\w-]+)/g)].map(([, file = '', anchor = '']) => ({
      line,
      file,
      anchor,
    })),
  );
  const broken = named.filter(({ file, anchor }) => {
    const page = PAGES.find((path) => path === file || path.endsWith(`/${file}`));
    return page === undefined || !anchorsOf(page).includes(anchor);
  });
  assert.deepEqual(
    broken.map(({ line, file, anchor }) => `${file}#${anchor} in ${at(line)}`),
    [],
  );
});

const linesIn = (path: string): Line[] =>
  read(path)
    .split('\n')
    .map((text, i) => ({ path, number: i + 1, text }));

test('every npm command that a page or a comment names is a script', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const commands = [...PAGE_LINES, ...COMMENT_LINES].flatMap((line) =>
    [...line.text.matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, name = '']) => ({
      line,
      name,
    })),
  );
  assert.ok(commands.length > 30);
  assert.deepEqual(
    commands
      .filter(({ name }) => scripts[name] === undefined)
      .map(({ line, name }) => `${name} in ${at(line)}`),
    [],
  );
});

test('the index names every page', () => {
  const index = read('docs/README.md');
  const missing = PAGES.filter((path) => /^docs\/(?!README)/.test(path)).filter(
    (path) => !index.includes(`](${posix.basename(path)})`),
  );
  assert.deepEqual(missing, []);
});

test('the README is read in a few minutes: at most 900 words', () => {
  const words = read('README.md')
    .split(/\s+/)
    .filter((word) => word !== '').length;
  assert.ok(words <= 900, `${words} words`);
});
