/** Debian's Prometheus and Alertmanager: found on the PATH, or unpacked beside the packages of npm, where no service starts it. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/prometheus', import.meta.url));

const PACKAGES = ['prometheus', 'prometheus-alertmanager'];

/** They cannot be installed here: one sentence that says what to do. */
export class NoPrometheus extends Error {
  override name = 'NoPrometheus';
}

export interface Tools {
  readonly prometheus: string;
  readonly promtool: string;
  readonly alertmanager: string;
  readonly amtool: string;
}

/** Paths of the programs. Throws NoPrometheus. */
export function findTools(): Tools {
  const found = toolsIn(...(process.env.PATH ?? '').split(delimiter)) ?? toolsIn(join(CACHE, 'usr/bin'));
  if (found) return found;
  unpackPackage();
  const unpacked = toolsIn(join(CACHE, 'usr/bin'));
  if (unpacked) return unpacked;
  throw new NoPrometheus(
    `prometheus, promtool, prometheus-alertmanager or amtool is not on the PATH; "apt-get install --no-install-recommends ${PACKAGES.join(' ')}" brings them.`,
  );
}

function toolsIn(...folders: readonly string[]): Tools | undefined {
  const find = (name: string) => folders.map((folder) => join(folder, name)).find(isExecutable);
  const [prometheus, promtool] = [find('prometheus'), find('promtool')];
  const [alertmanager, amtool] = [find('prometheus-alertmanager'), find('amtool')];
  const hasAll = prometheus && promtool && alertmanager && amtool;
  return hasAll ? { prometheus, promtool, alertmanager, amtool } : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Downloads Debian's packages and unpacks them; needs no root, unless the list of packages is missing. */
function unpackPackage(): void {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'download-'));
  const run = (command: string, ...args: string[]) =>
    spawnSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  const download = () => run('apt-get', 'download', '-qq', ...PACKAGES);
  try {
    if (!download() && !(run('apt-get', 'update', '-qq') && download())) return;
    for (const name of readdirSync(folder)) run('dpkg-deb', '-x', name, CACHE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
