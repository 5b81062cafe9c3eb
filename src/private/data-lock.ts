import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../config.ts';
import { startOf } from './processes.ts';

const LOCK = /^primary\.(\d+)\.pid$/;

interface Holder {
  readonly pid: number;
  readonly start: string;
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // released, or just emptied by the next holder
  }
}

const generationsIn = (dataDir: string): number[] =>
  readdirSync(dataDir)
    .map((name) => Number(LOCK.exec(name)?.[1] ?? 0))
    .filter((generation) => generation > 0)
    .sort((a, b) => b - a);

/**
 * Makes this process the only primary of a data directory, or throws a SetupError. Returns the release.
 *
 * Node has no flock, and a lock file alone is stale after `kill -9`: whoever replaces it may replace the one
 * that a third process has just made. So the lock is a row of generations, `primary.<n>.pid`. The newest one
 * counts; when its holder is dead, the next is made with link(2), which succeeds for exactly one process.
 * Generations only grow: the released file stays, empty, as the mark to count from.
 */
export function lockDataDir(dataDir: string): () => void {
  const pathOf = (generation: number) => join(dataDir, `primary.${generation}.pid`);
  const draft = join(dataDir, `primary.${process.pid}.draft`);
  writeFileSync(draft, JSON.stringify({ pid: process.pid, start: startOf(process.pid) ?? '' }));
  try {
    for (;;) {
      const [newest = 0] = generationsIn(dataDir);
      const holder = readHolder(pathOf(newest));
      if (holder !== undefined && startOf(holder.pid) === holder.start) {
        throw new SetupError(
          `Another flashsale (process ${holder.pid}) already uses ${dataDir}; stop it, or set DATA_DIR to another folder.`,
        );
      }
      const mine = newest + 1;
      try {
        linkSync(draft, pathOf(mine));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      const generations = generationsIn(dataDir);
      // Another process was two generations ahead: this one had been emptied before it was made.
      if (generations[0] !== mine) {
        rmSync(pathOf(mine));
        continue;
      }
      for (const old of generations.slice(1)) rmSync(pathOf(old), { force: true });
      return () => writeFileSync(pathOf(mine), '');
    }
  } finally {
    rmSync(draft, { force: true });
  }
}
