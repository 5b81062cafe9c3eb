import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A clone of the set-up without our sources: the real dependencies behind a link, and a PATH of its own. */
export interface Clone {
  readonly dir: string;
  /** Writes a source file. */
  write(path: string, text: string): void;
  /** Puts a program on the clone's PATH that is a line of shell. */
  stub(name: string, line: string): void;
  /** Runs `node scripts/NAME …` from elsewhere; returns its exit code and all that it said. */
  run(
    words: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): { status: number | null; output: string };
  remove(): void;
}

export function makeClone(): Clone {
  const dir = mkdtempSync(join(tmpdir(), 'flashsale-clone-'));
  for (const name of ['scripts', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(dir, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text, { mode });
  };
  const stub = (name: string, line: string) => write(join('bin', name), `#!/bin/sh\n${line}\n`, 0o755);
  stub('redis-server', 'exit 0');
  return {
    dir,
    write: (path, text) => write(path, text),
    stub,
    run([script = '', ...args], env = {}) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(dir, 'scripts', script), ...args],
        { cwd: tmpdir(), encoding: 'utf8', env: { PATH: join(dir, 'bin'), ...env } },
      );
      return { status, output: `${stdout}${stderr}` };
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
