import { freePort } from '../../perf/service.ts';
import { SLOTS, slotOf } from '../../src/store/redis/slots.ts';
import { type BareRedis, bareRedis, DATA_NODE } from './bare-redis.ts';
import { withRedis } from './dumps.ts';
import { PASSWORD } from './stores.ts';
import { until } from './until.ts';

const MASTERS = 3;
/** Short where a replica has to take over, so that a run takes seconds. Where none can, nodes of a busy machine must not miss each other. */
const NODE_TIMEOUT_MS = { withReplicas: 1_000, without: 5_000 };
const SETTLE_MS = 30_000;
/** Each look opens connections, beside the load. */
const LOOK_MS = 100;
/** Keys of one MIGRATE: a sale has ten. */
const KEYS_MAX = '100';

/** A Redis Cluster on loopback: three masters, and a replica of each where they are wanted. */
export interface RedisCluster {
  /** What the service is told. */
  readonly url: string;
  readonly nodes: readonly BareRedis[];
  /** The master that has a sale's keys, as the others say. */
  masterOf(saleId: string): Promise<BareRedis>;
  /** All that have slots. */
  masters(): Promise<BareRedis[]>;
  /** Resolves when every slot has a master, and every master its replica, where replicas are wanted. */
  settled(): Promise<void>;
  /** Moves the slot of a sale, with its keys, to another master; `between` is called while half of it is done. */
  moveSlot(saleId: string, to: BareRedis, between?: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}

const send = (node: BareRedis, ...words: (string | number)[]): Promise<unknown> =>
  withRedis(node.url, (client) => client.sendCommand(words.map(String)));

async function startNodes(dir: string, count: number, timeoutMs: number): Promise<BareRedis[]> {
  const nodes: BareRedis[] = [];
  for (let n = 0; n < count; n++) {
    const lines = [
      ...DATA_NODE,
      'cluster-enabled yes',
      `cluster-port ${await freePort()}`,
      `cluster-node-timeout ${timeoutMs}`,
      // One dead master is the trouble of its own slots.
      'cluster-require-full-coverage no',
      // A replica that was just made may take over.
      'cluster-replica-validity-factor 0',
    ];
    nodes.push(await bareRedis(dir, `node-${n}`, lines));
  }
  await Promise.all(nodes.map((node) => node.start()));
  return nodes;
}

export async function startRedisCluster(dir: string, withReplicas: boolean): Promise<RedisCluster> {
  const [count, timeoutMs] = withReplicas
    ? [2 * MASTERS, NODE_TIMEOUT_MS.withReplicas]
    : [MASTERS, NODE_TIMEOUT_MS.without];
  const nodes = await startNodes(dir, count, timeoutMs);
  const [first] = nodes as [BareRedis];
  for (const [n, node] of nodes.slice(0, MASTERS).entries()) {
    const from = (n: number) => Math.floor((n * SLOTS) / MASTERS);
    await send(node, 'CLUSTER', 'ADDSLOTSRANGE', from(n), from(n + 1) - 1);
  }
  for (const node of nodes.slice(1)) {
    const busPort = Number(
      ((await send(node, 'CONFIG', 'GET', 'cluster-port')) as Record<string, string>)['cluster-port'],
    );
    await send(first, 'CLUSTER', 'MEET', '127.0.0.1', node.port, busPort);
  }
  const knowsAll = async (node: BareRedis) =>
    String(await send(node, 'CLUSTER', 'NODES'))
      .trim()
      .split('\n').length === nodes.length;
  for (const node of nodes) await until(() => knowsAll(node), 'a node knows all others', SETTLE_MS, LOOK_MS);
  for (const [n, node] of nodes.slice(MASTERS).entries())
    await send(node, 'CLUSTER', 'REPLICATE', String(await send(nodes[n] as BareRedis, 'CLUSTER', 'MYID')));

  const rows = async () =>
    (await firstAnswer(nodes, 'CLUSTER', 'SLOTS')) as [from: number, to: number, master: [string, number]][];
  const nodeAt = (port: number | undefined) => nodes.find((node) => node.port === port) as BareRedis;
  const self: RedisCluster = {
    url: `redis+cluster://:${PASSWORD}@${nodes
      .slice(0, MASTERS)
      .map(({ port }) => `127.0.0.1:${port}`)
      .join(',')}`,
    nodes,
    async masterOf(saleId) {
      const slot = slotOf(`{${saleId}}`);
      const row = (await rows()).find(([from, to]) => from <= slot && slot <= to);
      return nodeAt(row?.[2][1]);
    },
    masters: async () => [...new Set((await rows()).map((row) => nodeAt(row[2][1])))],
    async settled() {
      for (const node of nodes)
        await until(() => isWhole(node, withReplicas), 'the Cluster is whole', SETTLE_MS, LOOK_MS);
    },
    async moveSlot(saleId, to, between) {
      const from = await self.masterOf(saleId);
      const slot = slotOf(`{${saleId}}`);
      const [fromId, toId] = [
        String(await send(from, 'CLUSTER', 'MYID')),
        String(await send(to, 'CLUSTER', 'MYID')),
      ];
      await send(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
      await send(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
      const keys = (await send(from, 'CLUSTER', 'GETKEYSINSLOT', slot, KEYS_MAX)) as string[];
      for (const [n, key] of keys.entries()) {
        if (n === Math.floor(keys.length / 2)) await between?.();
        await send(from, 'MIGRATE', '127.0.0.1', to.port, key, 0, 5_000, 'AUTH', PASSWORD);
      }
      for (const node of [to, from]) await send(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
  await self.settled();
  return self;
}

/** What a node that can be asked says; one may be dead, or stand still. */
const firstAnswer = (nodes: readonly BareRedis[], ...words: string[]): Promise<unknown> =>
  Promise.any(nodes.map((node) => send(node, ...words)));

async function isWhole(node: BareRedis, withReplicas: boolean): Promise<boolean> {
  const info = String(await send(node, 'CLUSTER', 'INFO'));
  const replication = String(await send(node, 'INFO', 'replication'));
  const inStep = /^role:master/m.test(replication)
    ? !withReplicas || /^connected_slaves:[1-9]/m.test(replication)
    : /^master_link_status:up/m.test(replication);
  return (
    inStep && /^cluster_state:ok/m.test(info) && new RegExp(`^cluster_slots_ok:${SLOTS}`, 'm').test(info)
  );
}
