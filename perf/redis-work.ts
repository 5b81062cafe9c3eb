/** What the servers of Redis did in a run, by their own statistics. */
import { setTimeout as sleep } from 'node:timers/promises';
import { slotOf } from '../src/store/redis/slots.ts';
import { openStores } from './command.ts';
import type { Target } from './target.ts';

interface Work {
  /** CPU time of all masters, in µs. */
  readonly cpuUs: number;
  /** Script calls of each master. */
  readonly scripts: readonly number[];
  /** Commands that a master refused since their slot is another's. */
  readonly refused: number;
}

/** What masters and their sales cost while nobody buys is measured for so long, and taken off. */
const IDLE_MS = 3_000;

/** Looks at all masters while nobody buys yet; `settle` says what they did since. */
export async function watchRedis(target: Target) {
  const stores = await openStores(target);
  const ask = async (...words: string[]) => (await stores.redis.commandAll(...words)).map(String);
  const read = async (): Promise<Work> => {
    const [cpu, commands, errors] = [
      await ask('INFO', 'cpu'),
      await ask('INFO', 'commandstats'),
      await ask('INFO', 'errorstats'),
    ];
    const seconds = cpu.map((info) => sum(info, /^used_cpu_(?:user|sys):([\d.]+)/gm));
    return {
      cpuUs: seconds.reduce((all, each) => all + each, 0) * 1e6,
      scripts: commands.map((info) => sum(info, /^cmdstat_evalsha:calls=(\d+)/gm)),
      refused: errors.reduce(
        (n, info) => n + sum(info, /^errorstat_(?:MOVED|ASK|CROSSSLOT):count=(\d+)/gm),
        0,
      ),
    };
  };
  const idle = await read();
  await sleep(IDLE_MS);
  const before = await read();
  const idleUsPerMs = (before.cpuUs - idle.cpuUs) / IDLE_MS;
  const beganMs = performance.now();
  return {
    /** Prints it; returns whether each sale is at one master, and no master was asked for what is another's. */
    async settle(saleIds: readonly string[], purchases: number): Promise<boolean> {
      const after = await read();
      const elapsedMs = performance.now() - beganMs;
      const scripts = after.scripts.map((n, i) => n - (before.scripts[i] ?? 0));
      const all = (after.cpuUs - before.cpuUs) / purchases;
      const own = all - (idleUsPerMs * elapsedMs) / purchases;
      console.log(
        `Redis took ${own.toFixed(1)} µs of CPU per purchase with its checkout (${all.toFixed(1)} with what it takes while nobody buys), on ${scripts.length} master${scripts.length > 1 ? 's' : ''} (scripts: ${scripts.join(', ')}).`,
      );
      const homes = scripts.length > 1 ? await Promise.all(saleIds.map(mastersOf)) : [];
      const refused = after.refused - before.refused;
      if (homes.length > 0)
        console.log(
          `${homes.filter((n) => n === 1).length} of ${saleIds.length} sales have keys at one master only; ${refused} commands went to a wrong one.`,
        );
      await stores.close();
      return homes.every((n) => n === 1) && refused === 0;
    },
  };

  /** How many masters hold keys of a sale. */
  async function mastersOf(saleId: string): Promise<number> {
    const counts = await ask('CLUSTER', 'COUNTKEYSINSLOT', String(slotOf(`{${saleId}}`)));
    return counts.filter((n) => Number(n) > 0).length;
  }
}

const sum = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
