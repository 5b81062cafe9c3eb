/** Load by oha, where no session is needed: equal requests, except for what a regular expression generates. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './command.ts';
import { reapedCpuUs } from './usage.ts';

export interface OhaResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Status → how often. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests without an answer, by reason. */
  readonly errors: Readonly<Record<string, number>>;
  /** CPU time of oha ÷ time. */
  readonly cores: number;
}

const CONNECTIONS = 64;

function runs(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

const cargoPath = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin', 'oha');

/** oha's path, if it is installed. */
export const installedOha = (): string | undefined => ['oha', cargoPath].find(runs);

/** oha's path; installs it with cargo when it is missing. */
export function findOha(): string {
  const found = installedOha();
  if (found) return found;
  if (!runs('cargo')) {
    throw new UsageError(
      'oha is missing, and cargo to install it with: get Rust from https://rustup.rs, or put oha on the PATH.',
    );
  }
  console.log('oha is missing: cargo install oha --locked; this takes minutes, once …');
  const { status } = spawnSync('cargo', ['install', 'oha', '--locked'], { stdio: 'inherit' });
  if (status !== 0 || !existsSync(cargoPath)) throw new UsageError('oha could not be installed; see above.');
  return cargoPath;
}

export const ohaVersion = (oha: string) => spawnSync(oha, ['--version'], { encoding: 'utf8' }).stdout.trim();

/** POSTs to URLs of a pattern (a regular expression, made up anew for each request) as fast as they are answered. */
export async function runOha(oha: string, pattern: string, seconds: number): Promise<OhaResult> {
  const output = ['--output-format', 'json', '--no-tui'];
  const load = [
    '-m',
    'POST',
    '-z',
    `${seconds}s`,
    '-w',
    '-c',
    String(CONNECTIONS),
    '--rand-regex-url',
    pattern,
  ];
  const cpuBefore = reapedCpuUs();
  const beganMs = performance.now();
  const child = spawn(oha, [...output, ...load], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const cores = (reapedCpuUs() - cpuBefore) / 1_000 / (performance.now() - beganMs);
  if (code !== 0) throw new Error(`oha left with code ${code}`);
  return { ...readResult(JSON.parse(text)), cores };
}

interface Output {
  readonly summary: { readonly requestsPerSec: number; readonly total: number };
  readonly latencyPercentiles: Readonly<Record<string, number>>;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly errorDistribution: Readonly<Record<string, number>>;
}

function readResult(output: Output): Omit<OhaResult, 'cores'> {
  const statuses = output.statusCodeDistribution;
  const requests = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const ms = (name: string) => (output.latencyPercentiles[name] ?? 0) * 1_000;
  return {
    requests,
    perSecond: requests / output.summary.total,
    p50Ms: ms('p50'),
    p99Ms: ms('p99'),
    statuses,
    errors: output.errorDistribution,
  };
}
