/** People and bots of a drop: both buy over HTTP, and only one of them can wait for a person's fingers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bySecret, claimsOf } from '../campaigns/hardening/tokens.ts';
import { type Connection, Lost, openConnection, type Reply } from './client.ts';

export interface Crowd {
  readonly url: string;
  readonly people: number;
  readonly bots: number;
  /** Requests of a bot per second, in all its sales together. */
  readonly botRate: number;
}

/** A sale of a drop: its items, and who has bought one. */
export interface DropSale {
  readonly id: string;
  readonly items: readonly string[];
  readonly startsAtMs: number;
  /** Users, as often as they have bought. */
  readonly winners: string[];
  /** People whose places were among as many as there are items, and who bought nothing: others were faster, once admitted. */
  missed: number;
  /** As the page of items shows it. */
  readonly sold: Set<string>;
}

/** A person looks, chooses, and taps. */
const THINK_MS = { from: 100, to: 300 } as const;
/** People who see a shop without a queue open come within this time. */
const COME_MS = 5_000;
const TRIES = 8;
/** Connections of this process; people and bots take turns on them, each kind on its own: see `DropSale.missed`. */
const CONNECTIONS = { people: 256, bots: 128 } as const;

const uniform = (from: number, to: number) => from + Math.random() * (to - from);
const isOver = ({ sold, items }: DropSale) => sold.size >= items.length;

/** So many connections, each lent to one request at a time. */
function createPool(url: string, size: number) {
  const free = Array.from({ length: size }, () => openConnection(url));
  const waiting: ((connection: Connection) => void)[] = [];
  const take = () => free.pop() ?? new Promise<Connection>((resolve) => waiting.push(resolve));
  const give = (connection: Connection) => {
    const next = waiting.shift();
    if (next) next(connection);
    else free.push(connection);
  };
  return {
    /** A request; one that is lost counts as 503. */
    async send(method: 'GET' | 'POST', target: string, headers = ''): Promise<Reply> {
      const connection = await take();
      try {
        return await connection.request(method, target, headers);
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        return { status: 503, retryAfterS: 1, body: '{}' };
      } finally {
        give(connection);
      }
    },
    close: () => {
      for (const connection of free) connection.close();
    },
  };
}

type Pool = ReturnType<typeof createPool>;

/** Runs a crowd in some sales at once, until nothing is left of them. */
export async function runCrowd(crowd: Crowd, sales: readonly DropSale[], isGuarded: boolean): Promise<void> {
  const [forPeople, forBots] = [
    createPool(crowd.url, CONNECTIONS.people),
    createPool(crowd.url, CONNECTIONS.bots),
  ];
  const all = Array.from({ length: crowd.people }, (_, i) => i);
  await Promise.all(
    all.map(async (i) => {
      const isBot = i < crowd.bots;
      const user = `${isBot ? 'bot' : 'person'}-${i}`;
      const headers = isGuarded ? `Authorization: Bearer ${bySecret(claimsOf(user))}\r\n` : '';
      const buyer = { pool: isBot ? forBots : forPeople, user, headers, isBot };
      const shop = isGuarded ? buyInTurn : isBot ? grab : browse;
      const noise = isBot && isGuarded ? hammer(crowd, buyer, sales) : undefined;
      await Promise.all(sales.map((sale) => shop(crowd, buyer, sale, sales.length)));
      await noise;
    }),
  );
  forPeople.close();
  forBots.close();
}

interface Buyer {
  readonly pool: Pool;
  readonly user: string;
  readonly headers: string;
  readonly isBot: boolean;
}

interface Turn {
  readonly ticket: string;
  readonly place: number | null;
  readonly admitted: boolean;
  readonly wait_seconds: number | null;
}

async function buyInTurn(_: Crowd, buyer: Buyer, sale: DropSale): Promise<void> {
  const place = await queueAndBuy(buyer, sale);
  if (buyer.isBot || place > sale.items.length) return;
  if (!sale.winners.includes(buyer.user)) sale.missed++;
}

/** Joins, waits for the turn as the answer says, and buys. Returns the place, as far as it is known. */
async function queueAndBuy(buyer: Buyer, sale: DropSale): Promise<number> {
  // Bots come at once, people whenever they have heard of it.
  if (!buyer.isBot) await sleep(uniform(0, sale.startsAtMs - Date.now() - 1_500));
  let place = Number.POSITIVE_INFINITY;
  let path = `/queue?sale_id=${sale.id}`;
  let method: 'GET' | 'POST' = 'POST';
  while (!isOver(sale)) {
    const { status, body, retryAfterS } = await buyer.pool.send(method, path, buyer.headers);
    if (status !== 200) {
      await sleep(Math.max(0.2, retryAfterS) * 1_000);
      continue;
    }
    const turn = JSON.parse(body) as Turn;
    place = turn.place ?? place;
    if (turn.admitted) {
      if (!buyer.isBot) await sleep(uniform(THINK_MS.from, THINK_MS.to));
      await buyOne(buyer, sale, buyer.user, `&ticket=${turn.ticket}`);
      return place;
    }
    [method, path] = ['GET', `/queue/${turn.ticket}`];
    const untilStartMs = Math.max(0, sale.startsAtMs + 600 - Date.now());
    await sleepWhile(sale, Math.max(untilStartMs, Math.min(turn.wait_seconds ?? 0.3, 30) * 1_000, 100));
  }
  return place;
}

/** Sleeps, but not past the end of the sale. */
async function sleepWhile(sale: DropSale, ms: number): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end && !isOver(sale); )
    await sleep(Math.min(500, end - Date.now()));
}

/** Sends as much as a bot can, whatever it is good for: it is refused by its rate. */
async function hammer(
  { botRate }: Crowd,
  { pool, headers }: Buyer,
  sales: readonly DropSale[],
): Promise<void> {
  for (let n = 0; sales.some((sale) => !isOver(sale)); n++) {
    const sale = sales[n % sales.length] as DropSale;
    const beganMs = performance.now();
    if (n % 2 === 0) await pool.send('POST', `/queue?sale_id=${sale.id}`, headers);
    else await pool.send('POST', `/checkout?id=${sale.items[0]}&sale_id=${sale.id}`, headers);
    await sleep(Math.max(1, 1_000 / botRate - (performance.now() - beganMs)));
  }
}

/** A person in a shop without a queue: comes when it opens, and buys one. */
async function browse(_: Crowd, buyer: Buyer, sale: DropSale): Promise<void> {
  await sleep(Math.max(0, sale.startsAtMs - Date.now()) + uniform(0, COME_MS));
  await sleep(uniform(THINK_MS.from, THINK_MS.to));
  await buyOne(buyer, sale, buyer.user, '');
}

/** A bot in a shop without a queue: buys under one made-up name after the other. */
async function grab({ botRate }: Crowd, buyer: Buyer, sale: DropSale, sales: number): Promise<void> {
  await sleep(Math.max(0, sale.startsAtMs - Date.now()));
  for (let n = 0; !isOver(sale); n++) {
    const beganMs = performance.now();
    const sent = await buyOne(buyer, sale, `${buyer.user}-${n}`, '');
    await sleep(Math.max(1, (1_000 * sent * sales) / botRate - (performance.now() - beganMs)));
  }
}

/** Chooses what seems to be left, until something is bought, or nothing is left. Returns how many requests it took. */
async function buyOne({ pool, headers }: Buyer, sale: DropSale, user: string, more: string): Promise<number> {
  let sent = 0;
  for (let tries = 0; tries < TRIES && !isOver(sale); tries++) {
    const left = sale.items.filter((id) => !sale.sold.has(id));
    const item = left[Math.floor(Math.random() * left.length)];
    if (item === undefined) return sent;
    sent += 2;
    const named = headers === '' ? `user_id=${user}&` : '';
    const cart = await pool.send('POST', `/checkout?${named}id=${item}&sale_id=${sale.id}${more}`, headers);
    if (cart.status === 409) sale.sold.add(item);
    if (cart.status === 429 || cart.status === 503) await sleep(cart.retryAfterS * 1_000);
    const { code, checkout_code } = JSON.parse(cart.body) as { code: string; checkout_code?: string };
    if (cart.status !== 200 && checkout_code === undefined) continue;
    const { status } = await pool.send('POST', `/purchase?code=${checkout_code ?? code}`, headers);
    if (status === 200 || status === 409) sale.sold.add(item);
    if (status !== 200) continue;
    sale.winners.push(user);
    return sent;
  }
  return sent;
}
