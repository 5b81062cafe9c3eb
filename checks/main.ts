/**
 * `npm run check` lists the checks; `npm run check -- image proxy` runs these, one after the other. Exit code 0: all hold;
 * 1: one does not; 2: it was called wrongly.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EXIT, runCommand, UsageError } from '../perf/command.ts';

interface Check {
  /** What it runs, compiled. */
  readonly file: string;
  /** What it does, and in brackets what it needs beside Node. */
  readonly about: string;
}

const CHECKS: Readonly<Record<string, Check>> = {
  image: {
    file: 'deploy/check-image.js',
    about: "runs the Dockerfile's steps, and sells from the result (Linux, root)",
  },
  compose: {
    file: '../test/deploy/compose.test.js',
    about: "holds compose.yaml against the specification's schema",
  },
  unit: { file: '../test/deploy/unit.test.js', about: 'has systemd read and rate the unit (systemd)' },
  proxy: { file: 'deploy/check-proxy.js', about: 'buys through deploy/nginx.conf (root, nginx)' },
  restore: {
    file: 'deploy/check-restore.js',
    about: 'loses a box in mid-sale, goes on from a backup (postgresql)',
  },
  upgrade: { file: 'deploy/check-upgrade.js', about: 'changes the release while people buy (root, nginx)' },
  disk: {
    file: 'deploy/check-disk.js',
    about: 'fills the disks of spool, Redis and Postgres (root, postgresql)',
  },
  cluster: {
    file: 'scale/check-cluster.js',
    about: 'twelve sales on a Redis Cluster, whose masters die and whose slots move (root, nginx)',
  },
  boxes: {
    file: 'scale/check-boxes.js',
    about: 'twelve sales on two boxes; boxes, Sentinels and Postgres fail over (root, nginx)',
  },
  monitoring: {
    file: 'monitoring/main.js',
    about: 'tries alerts, dashboard and /metrics with Prometheus (apt-get)',
  },
};

const HELP = `npm run check -- NAME … [options]

Tries what is deployed with the service, on real programs.

${Object.entries(CHECKS)
  .map(([name, { about }]) => `  ${name.padEnd(12)}${about}`)
  .join('\n')}
  all         all of these

Options go to every check that is named; image takes --node PATH, for another node.`;

/** The checks that are named before the first option, and the options. */
function readArgs(args: readonly string[]) {
  const first = args.findIndex((word) => word.startsWith('-'));
  const [named, options] = first < 0 ? [args, []] : [args.slice(0, first), args.slice(first)];
  const names = named.includes('all') ? Object.keys(CHECKS) : named;
  const unknown = names.find((name) => !Object.hasOwn(CHECKS, name));
  if (unknown !== undefined)
    throw new UsageError(`there is no check "${unknown}"; there are ${Object.keys(CHECKS).join(', ')}, all.`);
  return { names, options };
}

/** Runs one check in a process of its own; passes signals on. Resolves with its exit code, or the signal that ended it. */
async function run(name: string, options: readonly string[]): Promise<number | NodeJS.Signals> {
  const { file } = CHECKS[name] as Check;
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [path, ...options], { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, pass);
  const [code, signal] = (await once(child, 'exit')) as [number, null] | [null, NodeJS.Signals];
  for (const each of signals) process.off(each, pass);
  return code ?? signal;
}

await runCommand('check', async () => {
  const args = process.argv.slice(2);
  if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
    console.log(HELP);
    return EXIT.ok;
  }
  const { names, options } = readArgs(args);
  const failed: string[] = [];
  for (const name of names) {
    if (names.length > 1) console.log(`\n== ${name}`);
    const ended = await run(name, options);
    if (typeof ended === 'string') {
      process.kill(process.pid, ended);
      return EXIT.differs;
    }
    if (ended !== 0) failed.push(name);
  }
  if (names.length > 1) console.log(failed.length === 0 ? '\nAll hold.' : `\nFailed: ${failed.join(', ')}.`);
  return failed.length === 0 ? EXIT.ok : EXIT.differs;
});
