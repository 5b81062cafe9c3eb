// `node scripts/run.mjs NAME …`, as package.json calls it: sets up what is missing, then becomes the program of that name. In
// this very process, so that signals, terminal and exit code are the program's own.
// package.json says `exec`: npm passes SIGTERM on to its shell only, which would leave the program running.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAMS = {
  start: 'service/primary/main.js',
  sellout: 'perf/sellout.js',
  rehearse: 'perf/rehearse.js',
  audit: 'perf/audit.js',
  'forget-buyer': 'perf/forget-buyer.js',
  perf: 'perf/main.js',
  faults: 'campaigns/faults/main.js',
  model: 'campaigns/model/main.js',
  harden: 'campaigns/hardening/main.js',
  check: 'checks/main.js',
  demo: 'demo/main.js',
  pictures: 'demo/pictures.js',
};

/** These look at a service that runs, also on a box that has no compiler: they find everything in its place. */
const AS_IT_IS = new Set(['audit', 'forget-buyer', 'rehearse']);

const [name = '', ...args] = process.argv.slice(2);
const program = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
if (program === undefined) {
  console.error(`node scripts/run.mjs NAME [options]; NAME is one of ${Object.keys(PROGRAMS).join(', ')}.`);
  process.exit(2);
}

if (!AS_IT_IS.has(name)) setUp();
const url = new URL(`../dist/${program}`, import.meta.url);
const path = fileURLToPath(url);
if (!existsSync(path)) {
  console.error(`${name} is not built: "npm run setup" does it.`);
  process.exit(2);
}
process.argv = [process.execPath, path, ...args];
await import(url.href);

/** In a process of its own: what it does at its exit and on signals is not the program's. */
function setUp() {
  const script = fileURLToPath(new URL('setup.mjs', import.meta.url));
  const { status, signal } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}
