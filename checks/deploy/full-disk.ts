import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from '../../test/support/at-end.ts';

/** A file system in memory that can be filled up and cleared. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives it back. */
  clear(): void;
}

/** Mounts a file system of so many MiB at `path`; needs root. Unmounted with the file. */
export function mountDisk(path: string, mebibytes: number, owner = 'root'): SmallDisk {
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', path]);
  atEnd(() => execFileSync('umount', ['--lazy', path]));
  execFileSync('chown', [`${owner}:`, path]);
  const ballast = join(path, 'ballast');
  return {
    path,
    fill() {
      const file = openSync(ballast, 'a');
      try {
        for (const bytes of [1 << 20, 4 << 10, 1]) writeUntilFull(file, Buffer.alloc(bytes));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    },
    clear: () => rmSync(ballast),
  };
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    for (;;) if (writeSync(file, block) < block.length) return;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  }
}
