/** Units that are bought, cancelled and bought again by everybody, while the processes between Postgres and Redis die. */
import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysOf } from '../../src/store/keys.ts';
import { audit } from './audit.ts';
import { withPostgres, withRedis } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { call, newAgent, parseBody, type Reply } from './http.ts';
import { type Random, seeded } from './random.ts';
import { type Stand, until } from './stand.ts';
import { signalTo } from './stores.ts';

const CLIENTS = 16;
/** One item that everybody wants, and some of which there is one each. */
const HOT = { id: 'hot', name: 'Hot', stock: 30 };
const SINGLES = 15;
const TOTAL = HOT.stock + SINGLES;
const PERSIST_MS = 20_000;
const SELL_OUT_MS = 15_000;

/** What the clients of a run know. */
interface Known {
  /** Codes that were told to have bought something, and what has become of them. */
  readonly codes: Map<string, 'bought' | 'asked back' | 'cancelled'>;
  /** Cancellations that were answered. */
  returns: number;
}

interface Client {
  readonly stand: Stand;
  readonly agent: Agent;
  readonly saleId: string;
  readonly random: Random;
}

const post = ({ stand, agent, random }: Client, path: string, body?: string) =>
  call(agent, `${random.pick(stand.urls())}${path}`, {
    method: 'POST',
    ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
  });

/** Posts until the answer settles it; gives up after a while, and says so. */
async function settle(client: Client, path: string, body?: string): Promise<Reply | undefined> {
  for (const end = Date.now() + PERSIST_MS; Date.now() < end; await sleep(50 + client.random.next() * 100)) {
    const reply = await post(client, path, body);
    if (reply.status === 200 || (reply.status >= 400 && reply.status < 500)) return reply;
  }
  return undefined;
}

/** Fills a cart and buys it. Returns the code when it has bought something. */
async function buy(client: Client, user: string, items: readonly string[]): Promise<string | undefined> {
  let code: string | undefined;
  for (const item of items) {
    const quantity = item === HOT.id ? `&quantity=${client.random.between(1, 3)}` : '';
    const reply = await post(
      client,
      `/checkout?user_id=${user}&id=${item}&sale_id=${client.saleId}${quantity}`,
    );
    code = (parseBody(reply).code as string | undefined)?.startsWith('CHK-')
      ? (parseBody(reply).code as string)
      : code;
  }
  if (code === undefined) return undefined;
  const reply = await settle(client, `/purchase?code=${code}`);
  const body = reply && parseBody(reply);
  const receipt = (reply?.status === 200 ? body : body?.receipt) as { success?: boolean } | undefined;
  return receipt?.success ? code : undefined;
}

const itemsOf = (random: Random): string[] =>
  random.chance(0.5)
    ? [HOT.id]
    : [`single-${random.between(0, SINGLES - 1)}`, ...(random.chance(0.3) ? [HOT.id] : [])];

/** Buys and gives back, now and then keeping what it has; a cancellation is posted until it is answered, sometimes twice at once. */
async function shop(client: Client, n: number, known: Known, isOver: () => boolean): Promise<void> {
  const { random } = client;
  for (let flow = 0; !isOver(); flow++) {
    const code = await buy(client, `r${n}-${flow}`, itemsOf(random));
    if (code === undefined) continue;
    known.codes.set(code, 'bought');
    if (random.chance(0.02)) continue;
    known.codes.set(code, 'asked back');
    const posts = random.chance(0.1) ? 2 : 1;
    const ends = await Promise.all(
      Array.from({ length: posts }, () => settle(client, `/admin/purchases/${code}/cancel`, '{}')),
    );
    if (ends.every((end) => end?.status !== 200)) continue;
    known.codes.set(code, 'cancelled');
    known.returns++;
  }
}

async function createSale({ stand, agent }: Client): Promise<string> {
  const singles = Array.from({ length: SINGLES }, (_, i) => ({ id: `single-${i}`, name: `Single ${i}` }));
  const reply = await call(agent, `${stand.urls()[0]}/admin/sales`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ items: [HOT, ...singles], user_limit: 100 }),
    patienceMs: 30_000,
  });
  if (reply.status !== 201) throw new Error(`no sale could be made: ${reply.status} ${reply.body}`);
  return (parseBody(reply).data as { id: string }).id;
}

/** Kills workers: anywhere, and between the fact in Postgres and the shelf in Redis. */
async function kill({ stand, random, clock, mark }: FaultContext): Promise<void> {
  for (let kills = random.between(2, 4); kills > 0; kills--) {
    const point = random.pick(['before-shelve', 'after-shelve', 'anywhere']);
    const workers = stand.services.flatMap((service) => service.workers());
    if (point === 'anywhere') {
      if (workers.length > 0) signalTo(random.pick(workers), 'SIGKILL');
    } else if (!(await stand.killAt(point, random.between(1, 30), 3_000))) mark(`nobody came to ${point}`);
    clock();
    await sleep(random.between(200, 900));
  }
}

/** What is left of each item, by Redis. */
const leftOf = (stand: Stand, saleId: string): Promise<[string, number][]> =>
  withRedis(stand.direct().redisUrl, async (redis) =>
    Object.entries(await redis.hGetAll(keysOf(saleId).items)).map(([id, left]) => [id, Number(left)]),
  );

/** Every unit that is left can be bought, through whichever worker. */
async function sellTheRest(client: Client, known: Known): Promise<string | undefined> {
  const end = Date.now() + SELL_OUT_MS;
  for (let round = 0; ; round++) {
    const left = (await leftOf(client.stand, client.saleId)).filter(([, units]) => units > 0);
    if (left.length === 0) return undefined;
    if (Date.now() > end) return left.map(([id, units]) => `${units} of ${id}`).join(', ');
    for (const [i, [id]] of left.entries()) {
      const code = await buy(client, `rest-${round}-${i}`, [id]);
      if (code !== undefined) known.codes.set(code, 'bought');
    }
  }
}

/** What was answered is so in Postgres: bought codes hold units, cancelled ones none. */
async function checkAnswered({ stand, violate }: FaultContext, saleId: string, known: Known): Promise<void> {
  const [holders, returned] = await withPostgres(stand.direct().databaseUrl, async (client) => {
    const codes = async (text: string) =>
      new Set((await client.query(text, [saleId])).rows.map(({ code }) => code as string));
    return [
      await codes('select distinct code from purchases where sale_id = $1'),
      await codes('select code from returns where sale_id = $1'),
    ] as const;
  });
  for (const [code, state] of known.codes) {
    if (state === 'bought' && !holders.has(code))
      violate('lost', `${code} has bought something, and holds nothing`);
    if (state === 'cancelled' && (holders.has(code) || !returned.has(code)))
      violate('lost', `the cancellation of ${code} was answered, and is not in Postgres`);
  }
  const rows = await withPostgres(stand.direct().databaseUrl, async (client) =>
    Number((await client.query('select count(*) from purchases where sale_id = $1', [saleId])).rows[0].count),
  );
  if (rows !== TOTAL) violate('not-sold-out', `${rows} of ${TOTAL} units are held in the end`);
}

async function giveBackUnderKills(context: FaultContext): Promise<void> {
  const { stand, random, measure, violate, full } = context;
  const agent = newAgent(CLIENTS * 2);
  const known: Known = { codes: new Map(), returns: 0 };
  const first: Client = { stand, agent, saleId: '', random };
  const saleId = await createSale(first);
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, (_, n) =>
    shop({ ...first, saleId, random: seeded(random.between(1, 1e9)) }, n, known, () => isOver),
  );
  const end = Date.now() + (full ? 60_000 : 6_000);
  do await kill(context);
  while (Date.now() < end);
  isOver = true;
  await Promise.all(clients);
  await until(async () => (await leftOf(stand, saleId)).length > 0, 'the sale is in Redis', PERSIST_MS);
  const rest = await sellTheRest({ ...first, saleId }, known);
  if (rest !== undefined) violate('not-sold-out', `${rest} came back, and cannot be bought`);
  await checkAnswered(context, saleId, known);
  for (const { kind, detail } of await audit(stand.direct(), saleId)) violate(kind as 'books-differ', detail);
  measure('returned', known.returns);
  agent.destroy();
}

export const returnFaults: readonly Fault[] = [
  { name: 'returns-kills', stands: ['private', 'two-boxes'], inject: giveBackUnderKills },
];
