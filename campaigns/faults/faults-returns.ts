/** Units that are bought, cancelled and bought again by everybody, while the processes between Postgres and Redis die. */
import { readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysOf } from '../../src/store/keys.ts';
import { audit } from './audit.ts';
import { checkTold } from './checker-told.ts';
import { withPostgres, withRedis } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { followFeed, PORTS, tellingTo } from './follow-feed.ts';
import { call, newAgent, parseBody, type Reply } from './http.ts';
import { signalTo } from './processes.ts';
import { type Random, seeded } from './random.ts';
import { openReceiver } from './receiver.ts';
import { logsOf } from './run.ts';
import { type Stand, until } from './stand.ts';

const CLIENTS = 32;
/** One item that everybody wants, and some of which there is one each: fewer than the clients want at a time. */
const HOT = { id: 'hot', name: 'Hot', stock: 30 };
const SINGLES = 15;
/** Enough for all at any time: nobody waits for it until a worker has heard that there is some again. */
const WIDE = { id: 'wide', name: 'Wide', stock: 2_000 };
const TOTAL = HOT.stock + WIDE.stock + SINGLES;
const USER_LIMIT = 100;
const PAYMENT_SECONDS = 3_600;
/** How often payments that nobody makes become due. */
const DUE_MS = 200;
const PERSIST_MS = 20_000;
const SELL_OUT_MS = 15_000;

/** What the clients of a run know of the codes that were told to have bought something. */
type Known = Map<string, 'bought' | 'asked back' | 'never paid' | 'came back'>;

/** An item and how many of it. */
type Line = readonly [item: string, quantity: number];

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
async function buy(client: Client, user: string, lines: readonly Line[]): Promise<string | undefined> {
  let code: string | undefined;
  for (const [item, quantity] of lines) {
    const wish = quantity === 1 ? '' : `&quantity=${quantity}`;
    const reply = await post(client, `/checkout?user_id=${user}&id=${item}&sale_id=${client.saleId}${wish}`);
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

function linesOf(random: Random): Line[] {
  const hot: Line = [HOT.id, random.between(1, 3)];
  if (random.chance(0.7)) return [[WIDE.id, random.between(1, 3)]];
  if (random.chance(0.5)) return [hot];
  return [[`single-${random.between(0, SINGLES - 1)}`, 1], ...(random.chance(0.3) ? [hot] : [])];
}

/**
 * Buys and gives back, now and then keeping what it has. Half of the payments are never made; some are released, some are made and the
 * purchase is cancelled: posted until it is answered, sometimes twice at once.
 */
async function shop(client: Client, n: number, known: Known, isOver: () => boolean): Promise<void> {
  const { random } = client;
  for (let flow = 0; !isOver(); flow++) {
    const code = await buy(client, `r${n}-${flow}`, linesOf(random));
    if (code === undefined) continue;
    const deed = (what: string) => settle(client, `/admin/purchases/${code}/${what}`, '{}');
    const fate = random.next();
    known.set(code, fate < 0.002 ? 'bought' : fate < 0.5 ? 'never paid' : 'asked back');
    if (fate < 0.5) continue;
    if (fate > 0.75 && (await deed('confirm'))?.status !== 200) continue;
    const posts = Array.from({ length: random.chance(0.5) ? 2 : 1 }, () =>
      deed(fate > 0.75 ? 'cancel' : 'release'),
    );
    if ((await Promise.all(posts)).some((end) => end?.status === 200)) known.set(code, 'came back');
  }
}

/** Has the payments that are never made run out of time; returns when it is over and none of them is pending any more. */
async function runOutOfTime({ stand }: FaultContext, known: Known, isOver: () => boolean): Promise<void> {
  const unpaid = () => [...known].flatMap(([code, state]) => (state === 'never paid' ? [code] : []));
  const makeDue = () =>
    withPostgres(stand.direct().databaseUrl, async (client) => {
      const codes = unpaid();
      const text = `select code, state from payments where code = any($1)`;
      for (const { code, state } of (await client.query(text, [codes])).rows)
        if (state === 'expired') known.set(code, 'came back');
      await client.query(
        `update payments set due_at = now() where code = any($1) and state = 'pending' and due_at > now()`,
        [codes],
      );
    });
  while (!isOver()) {
    await makeDue();
    await sleep(DUE_MS);
  }
  await until(
    async () => {
      await makeDue();
      return unpaid().length === 0;
    },
    'every payment that is due has run out of time',
    PERSIST_MS,
  );
}

async function createSale({ stand, agent }: Client): Promise<string> {
  const singles = Array.from({ length: SINGLES }, (_, i) => ({ id: `single-${i}`, name: `Single ${i}` }));
  const reply = await call(agent, `${stand.urls()[0]}/admin/sales`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      items: [HOT, WIDE, ...singles],
      user_limit: USER_LIMIT,
      payment_seconds: PAYMENT_SECONDS,
    }),
    patienceMs: 30_000,
  });
  if (reply.status !== 201) throw new Error(`no sale could be made: ${reply.status} ${reply.body}`);
  return (parseBody(reply).data as { id: string }).id;
}

/**
 * Kills workers: anywhere, and between the fact in Postgres and the shelf in Redis; or holds one there for so long that the leader
 * puts its returns on the shelf before it does.
 */
async function kill({ stand, random, clock, mark, full }: FaultContext): Promise<void> {
  for (let kills = random.between(2, 4); kills > 0; kills--) {
    const point = random.pick(['before-shelve', 'after-shelve', 'hold-shelve', 'anywhere']);
    const workers = stand.services.flatMap((service) => service.workers());
    if (point === 'anywhere') {
      if (workers.length > 0) signalTo(random.pick(workers), 'SIGKILL');
    } else if (!(await stand.killAt(point, random.between(1, 15), 3_000))) mark(`nobody came to ${point}`);
    clock();
    await sleep(random.between(200, full ? 4_000 : 900));
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
    for (const [i, [id, units]] of left.entries()) {
      const code = await buy(client, `rest-${round}-${i}`, [[id, Math.min(units, USER_LIMIT)]]);
      if (code !== undefined) known.set(code, 'bought');
    }
  }
}

/** What was answered is so in Postgres: bought codes hold units, those that came back none. Returns how many came back. */
async function checkAnswered(
  { stand, violate }: FaultContext,
  saleId: string,
  known: Known,
): Promise<number> {
  const read = (text: string) =>
    withPostgres(stand.direct().databaseUrl, async (client) => (await client.query(text, [saleId])).rows);
  const held = await read('select code from purchases where sale_id = $1');
  const holders = new Set(held.map(({ code }) => code as string));
  const returns = await read('select code from returns where sale_id = $1');
  const returned = new Set(returns.map(({ code }) => code as string));
  for (const [code, state] of known) {
    if (state === 'bought' && !holders.has(code))
      violate('lost', `${code} has bought something, and holds nothing`);
    if (state === 'came back' && (holders.has(code) || !returned.has(code)))
      violate('lost', `${code} was told to have come back, and that is not in Postgres`);
  }
  if (held.length !== TOTAL) violate('not-sold-out', `${held.length} of ${TOTAL} units are held in the end`);
  return returns.length;
}

/** No store has failed: whatever made the leader write the sale anew would have healed it, and the books would not show it. */
function checkNeverRebuilt({ stand, violate }: FaultContext, saleId: string): void {
  const rebuilds = logsOf(stand).flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"sale":"${saleId}"`) && line.includes('"msg":"sale rebuilt"')),
  );
  if (rebuilds.length > 0)
    violate('books-differ', `the sale was rebuilt ${rebuilds.length} times, at last: ${rebuilds.at(-1)}`);
}

async function giveBackUnderKills(context: FaultContext): Promise<void> {
  const { stand, random, count, violate, full } = context;
  const agent = newAgent(CLIENTS * 2);
  const known: Known = new Map();
  const receiver = await openReceiver(PORTS.returns);
  const feed = followFeed(stand);
  const first: Client = { stand, agent, saleId: '', random };
  const saleId = await createSale(first);
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, (_, n) =>
    shop({ ...first, saleId, random: seeded(random.between(1, 1e9)) }, n, known, () => isOver),
  );
  const due = runOutOfTime(context, known, () => isOver);
  const end = Date.now() + (full ? 60_000 : 6_000);
  do await kill(context);
  while (Date.now() < end);
  isOver = true;
  await Promise.all([...clients, due]);
  await until(async () => (await leftOf(stand, saleId)).length > 0, 'the sale is in Redis', PERSIST_MS);
  const rest = await sellTheRest({ ...first, saleId }, known);
  if (rest !== undefined) violate('not-sold-out', `${rest} came back, and cannot be bought`);
  count('told', await checkTold(context, saleId, { feed: feed.stop, webhooks: receiver.taken }));
  checkNeverRebuilt(context, saleId);
  count('returned', await checkAnswered(context, saleId, known));
  for (const { kind, detail } of await audit(stand.direct(), saleId)) violate(kind as 'books-differ', detail);
  await receiver.die();
  agent.destroy();
}

export const returnFaults: readonly Fault[] = [
  {
    name: 'returns-kills',
    stands: ['private', 'two-boxes'],
    env: tellingTo(PORTS.returns),
    inject: giveBackUnderKills,
  },
];
