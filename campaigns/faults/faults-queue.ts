import { setTimeout as sleep } from 'node:timers/promises';
import { checkPlaces, type PlaceRules, SEEN_MS, type Told } from './checker-places.ts';
import { withRedis } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { call, newAgent, parseBody } from './http.ts';
import { signalTo } from './processes.ts';
import { restartRedis, until } from './stand.ts';

const EARLY = 60;
const LATE = 30;
/** Admits them all in some seconds, so that Redis goes in the middle of it. */
const RATE = 15;
/** The shortest that there is: passes are to be over within a run. */
const PASS_SECONDS = 10;
const PATIENCE_MS = 20_000;
const STARTS_IN_MS = 2_000;
/** Passes wait while checkouts are shed. */
const PASSES_MS = 4 * PASS_SECONDS * 1_000;

const usersOf = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i}`);

type Turn = Pick<Told, 'ticket' | 'place' | 'state'>;

/** Makes a sale with a queue; what its buyers do there is asked until it is answered, and what they are told is written down. */
async function openQueue({ stand, target: { history } }: FaultContext, settings: object) {
  const url = stand.urls()[0] as string;
  const agent = newAgent(32);
  const told: Told[] = [];
  const rules: PlaceRules = {};
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    for (const end = Date.now() + PATIENCE_MS; ; await sleep(100)) {
      const reply = await call(agent, `${url}${path}`, {
        method,
        ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      if (reply.status >= 200 && reply.status < 300) return parseBody(reply) as T;
      if (reply.status !== 503 && reply.status !== 0)
        throw new Error(`${path}: ${reply.status} ${reply.body}`);
      if (Date.now() > end) throw new Error(`${path} is not answered: ${reply.status} ${reply.error}`);
    }
  };
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const { data: sale } = await ask<{ data: { id: string } }>('POST', '/admin/sales', {
    ...{ total_items: 1, started_at: at(STARTS_IN_MS), ended_at: at(120_000) },
    queue: { admit_per_second: RATE, ...settings },
  });
  const hear = async (does: Told['does'], user: string, method: string, path: string): Promise<Told> => {
    const from = history.now();
    const { ticket, place, state } = await ask<Turn>(method, path);
    const heard = { does, user, from, t: history.now(), ticket, place, state };
    told.push(heard);
    return heard;
  };
  const join = (user: string) => hear('join', user, 'POST', `/queue?user_id=${user}&sale_id=${sale.id}`);
  return {
    told: told as readonly Told[],
    rules: rules as Readonly<PlaceRules>,
    join,
    joinAll: (users: readonly string[]) => Promise.all(users.map(join)),
    read: ({ user, ticket }: Told) => hear('read', user, 'GET', `/queue/${ticket}`),
    /** From now on Redis may have forgotten who has joined. */
    mayForget() {
      rules.lostAt = history.now();
    },
    async endSale() {
      await ask('PATCH', `/admin/sales/${sale.id}`, { ended_at: 'now' });
      rules.endedAt = history.now();
    },
    close: () => agent.destroy(),
  };
}

type OpenQueue = Awaited<ReturnType<typeof openQueue>>;

/** A fault through which a queue goes; whatever becomes of it, what its buyers were told is checked. */
const onQueue =
  (settings: object, inject: (context: FaultContext, queue: OpenQueue) => Promise<void>): Fault['inject'] =>
  async (context) => {
    const queue = await openQueue(context, settings);
    try {
      await inject(context, queue);
    } finally {
      queue.close();
      for (const { kind, detail } of checkPlaces(queue.told, queue.rules)) context.violate(kind, detail);
    }
  };

/** A sale with a queue is under way when Redis is emptied, or restarted: nobody's place moves, and none is given twice. */
async function rebuildQueue({ stand, random, clock }: FaultContext, queue: OpenQueue): Promise<void> {
  const early = await queue.joinAll(usersOf('early', EARLY));
  await until(async () => (await queue.read(early[0] as Told)).place !== null, 'the draw', PATIENCE_MS);
  const given = [...early, ...(await queue.joinAll(usersOf('late', LATE)))];
  const turns = () => Promise.all(given.map(queue.read));
  const again = () => queue.joinAll(given.map(({ user }) => user));
  await sleep(random.between(200, 2_000));
  await again();
  await turns();
  clock();
  queue.mayForget();
  if (random.chance(0.5)) await withRedis(stand.direct().redisUrl, (client) => client.flushAll());
  else await restartRedis(stand);
  await queue.joinAll(usersOf('after', LATE));
  await again();
  await until(
    async () => (await turns()).every(({ state }) => state === 'admitted'),
    'all are admitted',
    PATIENCE_MS,
  );
  clock();
}

/** Buyers join again and again, from before the draw until their passes are over, and a worker dies meanwhile; then the sale ends. */
async function joinAgain(
  { stand, random, clock, target: { history } }: FaultContext,
  queue: OpenQueue,
): Promise<void> {
  const users = usersOf('early', EARLY / 2);
  const goOn = (isDone: () => boolean, what: string) => joinUntil(queue, users, isDone, what);
  await goOn(() => queue.told.some(({ place }) => place !== null), 'the draw');
  users.push(...usersOf('late', LATE / 2));
  const killsAt = history.now() + random.between(0, PASS_SECONDS * 1_000);
  await goOn(() => history.now() > killsAt, 'a while');
  signalTo(random.pick(stand.services.flatMap((service) => service.workers())), 'SIGKILL');
  clock();
  await goOn(() => areOver(queue.told, users), 'every pass is over');
  // Now every worker knows.
  const seenAt = history.now() + 1.5 * SEEN_MS;
  await goOn(() => history.now() > seenAt, 'a while');
  await queue.endSale();
  for (const outcome of await Promise.allSettled(users.map(queue.join)))
    if (outcome.status === 'rejected' && !`${outcome.reason}`.includes('sale_not_active'))
      throw outcome.reason;
}

/** Everybody joins again, some from two devices at once, and reads each ticket that he has been given; until it is done. */
async function joinUntil(
  queue: OpenQueue,
  users: readonly string[],
  isDone: () => boolean,
  what: string,
): Promise<void> {
  for (const end = Date.now() + PASSES_MS; !isDone(); await sleep(200)) {
    if (Date.now() > end) throw new Error(`not within ${PASSES_MS} ms: ${what}`);
    await queue.joinAll(users.flatMap((user, i) => (i % 5 === 0 ? [user, user] : [user])));
    const tickets = new Map(queue.told.map((each) => [each.ticket, each]));
    await Promise.all([...tickets.values()].map(queue.read));
  }
}

/** Whether each of them has been told that a place of his is over. */
const areOver = (told: readonly Told[], users: readonly string[]): boolean => {
  const over = new Set(told.flatMap(({ state, user }) => (state === 'over' ? [user] : [])));
  return users.every((user) => over.has(user));
};

export const queueFaults: readonly Fault[] = [
  {
    name: 'queue-rebuild',
    stands: ['owned', 'private'],
    losesRedis: true,
    losesLog: true,
    inject: onQueue({}, rebuildQueue),
  },
  {
    name: 'queue-again',
    stands: ['private'],
    inject: onQueue({ pass_seconds: PASS_SECONDS }, joinAgain),
  },
];
