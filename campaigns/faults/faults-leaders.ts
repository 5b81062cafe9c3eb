import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysOf } from '../../src/store/keys.ts';
import { withRedis } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { call, newAgent } from './http.ts';
import { signalTo } from './processes.ts';
import type { Service } from './service.ts';
import { until } from './stand.ts';

/** Whether this box leads, as it says itself. */
export async function leads({ url }: Service): Promise<boolean> {
  const agent = newAgent(1);
  const { body } = await call(agent, `${url}/metrics`);
  agent.destroy();
  return /^flashsale_leader 1$/m.test(body);
}

/** The box that leads loses its way to Redis, and a sale has to be rebuilt: the other box must do it. */
async function withoutRedis({ stand, target, clock, measure }: FaultContext): Promise<void> {
  const [one, two] = stand.services as readonly [Service, Service];
  const sick = (await leads(one)) ? 0 : 1;
  const well = sick === 0 ? two : one;
  const proxy = stand.redisProxies[sick];
  proxy?.refuse(true);
  try {
    await withRedis(stand.direct().redisUrl, (client) => client.del(keysOf(target.saleId).gate));
    const from = Date.now();
    await until(() => leads(well), 'the other box leads', 10_000);
    measure('led', Date.now() - from);
    await sleep(500);
  } finally {
    proxy?.refuse(false);
  }
  clock();
}

/** Longer than a worker takes to start: a roll changes something more often. */
const STEADY_MS = 4_000;

/** Workers are killed while they are replaced. Afterwards there is one in each slot, and none beside. */
async function killDuringRoll({ stand, random, full, clock, violate }: FaultContext): Promise<void> {
  const service = stand.services[0] as Service;
  const logFile = join(service.dataDir, 'service.log');
  const timesLogged = (words: string) => readFileSync(logFile, 'utf8').split(words).length - 1;
  const strays = timesLogged('a worker in no slot was ended');
  for (let rolls = full ? 10 : 4; rolls > 0; rolls--) {
    // It dies before the turn of every slot but the first, and its successor is in the slot when the roll comes to it.
    const victim = random.pick(service.workers());
    service.signal('SIGHUP');
    await sleep(random.between(20, 300));
    signalTo(victim, 'SIGKILL');
    await sleep(2_500);
  }
  // A roll has one worker more while it goes on, and on a busy machine it takes seconds.
  let [seen, sinceMs] = ['', Date.now()];
  const isSteady = () => {
    const now = service.workers().join();
    if (now !== seen) [seen, sinceMs] = [now, Date.now()];
    return Date.now() - sinceMs > STEADY_MS;
  };
  await until(isSteady, 'the last roll ends', 30_000);
  clock();
  if (service.workers().length !== 2) violate('orphan', `workers ${service.workers()} of two slots`);
  if (timesLogged('a worker in no slot was ended') > strays) violate('orphan', 'a worker was in no slot');
}

const CLOCK = join(tmpdir(), `flashsale-clock-${process.pid}`);
const FAKETIME = readdirSync('/usr/lib')
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`)
  .find(existsSync);

/** The clock of primary and workers steps to and fro, by hours; Redis and Postgres keep theirs, and Redis' decides. */
async function stepClock({ random, clock }: FaultContext): Promise<void> {
  try {
    for (let steps = random.between(2, 4); steps > 0; steps--) {
      writeFileSync(CLOCK, random.pick(['+3600s', '-3600s', '+40s', '-40s', '+86400s']));
      await sleep(random.between(500, 2_000));
    }
  } finally {
    writeFileSync(CLOCK, '+0s');
  }
  clock();
  await sleep(1_200);
}

const clockSteps: Fault = {
  name: 'clock-steps',
  stands: ['owned'],
  env: {
    LD_PRELOAD: FAKETIME ?? '',
    FAKETIME_TIMESTAMP_FILE: CLOCK,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_CACHE_DURATION: '1',
  },
  inject: stepClock,
};
if (FAKETIME !== undefined) {
  writeFileSync(CLOCK, '+0s');
  process.once('exit', () => rmSync(CLOCK, { force: true }));
}

/** Leaders, rolls and clocks. `clock-steps` is there where Debian's libfaketime is installed. */
export const leaderFaults: readonly Fault[] = [
  { name: 'leader-without-redis', stands: ['two-boxes'], inject: withoutRedis },
  { name: 'kill-during-roll', stands: ['private'], inject: killDuringRoll },
  ...(FAKETIME === undefined ? [] : [clockSteps]),
];
