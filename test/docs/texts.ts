/** What the tests of the documentation read: the pages, the comments of the code, and the names of all files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** What is built, installed, or made by a run. */
const NOT_OURS = /^(node_modules|dist|data|\.git)$/;

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (NOT_OURS.test(entry.name)) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(path);
    else yield path;
  }
}

/** Every file of the tree, from the root. */
export const FILES: readonly string[] = [...walk('')];

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

export const PAGES: readonly string[] = FILES.filter((path) => path.endsWith('.md'));

export interface Line {
  readonly path: string;
  readonly number: number;
  readonly text: string;
}

const linesOf = (path: string, text: string): Line[] =>
  text.split('\n').map((line, i) => ({ path, number: i + 1, text: line }));

export const PAGE_LINES: readonly Line[] = PAGES.flatMap((path) => linesOf(path, read(path)));

/** How each language writes a comment; the group keeps what is none, so that line numbers stay right. */
const COMMENTS: readonly [files: RegExp, comment: RegExp][] = [
  [/\.(ts|mjs)$/, /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm],
  [/\.(lua|sql)$/, /--.*$/gm],
  [/(\.(ya?ml|conf|service)|Dockerfile|\.env\.example)$/, /(?<=^|\s)#.*$/gm],
];

/** The lines of all comments; what is no comment is blank in them. */
export const COMMENT_LINES: readonly Line[] = FILES.flatMap((path) => {
  const comment = COMMENTS.find(([files]) => files.test(path))?.[1];
  if (comment === undefined) return [];
  const text = read(path);
  let blank = '';
  let end = 0;
  for (const match of text.matchAll(comment)) {
    blank += text.slice(end, match.index).replace(/[^\n]/g, ' ') + match[0];
    end = match.index + match[0].length;
  }
  return linesOf(path, blank).filter((line) => line.text.trim() !== '');
});

/** Where a sentence stands, for the message of a test. */
export const at = ({ path, number, text }: Line): string => `${path}:${number}: ${text.trim().slice(0, 120)}`;

/** The rows of a table whose first cell satisfies, by cell. */
export const rowsOf = (page: string, isRow: (first: string) => boolean) =>
  PAGE_LINES.filter(({ path, text }) => path === page && text.startsWith('| '))
    .map(({ text }) => text.split('|').map((cell) => cell.trim()))
    .filter(([, first = '']) => isRow(first));
