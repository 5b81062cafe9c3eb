import { type BareRedis, bareRedis, DATA_NODE } from './bare-redis.ts';
import { withRedis } from './dumps.ts';
import { PASSWORD } from './stores.ts';
import { until } from './until.ts';

const NAME = 'shop';
const QUORUM = 2;
/** Short, so that a run takes seconds; production.md says what to set. */
const DOWN_MS = 1_000;
const FAILOVER_MS = 3_000;
/** A Sentinel asks a replica for its state each ten seconds. */
const SETTLE_MS = 30_000;
/** Each look opens connections, beside the load. */
const LOOK_MS = 100;

/** Three Sentinels on loopback, a master and a replica, all with passwords. */
export interface Sentinels {
  /** What the service is told. */
  readonly url: string;
  readonly sentinels: readonly BareRedis[];
  /** The master as it was last found, and the other one. */
  master(): BareRedis;
  replica(): BareRedis;
  /** Resolves when the Sentinels name the other server. */
  failedOver(): Promise<void>;
  /** Resolves when the replica follows the master, and every Sentinel knows the replica and the other Sentinels: they could fail over. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSentinels(dir: string): Promise<Sentinels> {
  const first = await bareRedis(dir, 'first', DATA_NODE);
  const second = await bareRedis(dir, 'second', [...DATA_NODE, `replicaof 127.0.0.1 ${first.port}`]);
  const watch = [
    `sentinel monitor ${NAME} 127.0.0.1 ${first.port} ${QUORUM}`,
    `sentinel auth-pass ${NAME} ${PASSWORD}`,
    `sentinel sentinel-pass ${PASSWORD}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_MS}`,
    `sentinel failover-timeout ${NAME} ${FAILOVER_MS}`,
  ];
  const sentinels: BareRedis[] = [];
  for (const name of ['sentinel-1', 'sentinel-2', 'sentinel-3'])
    sentinels.push(await bareRedis(dir, name, watch, { isSentinel: true }));
  const servers = [first, second, ...sentinels];
  await Promise.all([first.start(), second.start()]);
  // What Sentinels do not see at their start they see ten seconds later.
  await until(() => isReplica(second), 'the replica is in step');
  await Promise.all(sentinels.map((sentinel) => sentinel.start()));

  let master = first;
  const other = () => (master === first ? second : first);
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const self: Sentinels = {
    url: `redis+sentinel://:${PASSWORD}@${hosts}/${NAME}?sentinel_password=${PASSWORD}`,
    sentinels,
    master: () => master,
    replica: other,
    async failedOver() {
      const port = String(other().port);
      const isNamed = async () => (await ask<Facts>(sentinels[0] as BareRedis, 'MASTER')).port === port;
      await until(isNamed, 'failover', SETTLE_MS, LOOK_MS);
      master = other();
    },
    async settled() {
      await until(() => isReplica(other()), 'the replica is in step', SETTLE_MS, LOOK_MS);
      for (const sentinel of sentinels)
        await until(() => couldFailOver(sentinel), 'a Sentinel knows all of them', SETTLE_MS, LOOK_MS);
    },
    async stop() {
      await Promise.all(servers.map((server) => server.kill()));
    },
  };
  await self.settled();
  return self;
}

type Facts = Record<string, string>;

const ask = <T>({ url }: BareRedis, question: string): Promise<T> =>
  withRedis(url, async (client) => (await client.sendCommand(['SENTINEL', question, NAME])) as T);

async function couldFailOver(sentinel: BareRedis): Promise<boolean> {
  const master = await ask<Facts>(sentinel, 'MASTER');
  const replicas = await ask<Facts[]>(sentinel, 'REPLICAS');
  return (
    master.flags === 'master' &&
    master['num-other-sentinels'] === '2' &&
    replicas.some((each) => each.flags === 'slave' && each['master-link-status'] === 'ok')
  );
}

const isReplica = ({ url }: BareRedis): Promise<boolean> =>
  withRedis(url, async (client) => {
    const info = await client.info('replication');
    return /^role:slave/m.test(info) && /^master_link_status:up/m.test(info);
  });
