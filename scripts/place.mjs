// What the scripts share: where they are, how they speak, what is on the PATH.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const at = (...parts) => join(root, ...parts);

export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Ends the script with a sentence that says what to do. */
export function stop(sentence) {
  say(sentence);
  process.exit(1);
}

export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Paths of all files under a folder, from the root. */
export function* filesUnder(folder) {
  if (!existsSync(at(folder))) return;
  for (const entry of readdirSync(at(folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The path of the first of these programs that is on the PATH. */
export function onPath(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Runs a node program of somebody else, whose output is for the person who waits. Returns whether it went well. */
export const runNode = (args, cwd = root) =>
  spawnSync(process.execPath, args, { cwd, stdio: ['ignore', 2, 2] }).status === 0;
