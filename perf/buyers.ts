/** The two crowds of a sell-out: one that shares the items among itself, and one that fights for them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection } from './client.ts';
import type { Recorder } from './record.ts';
import { buy, checkOut, type Session } from './session.ts';

export interface BuyersOptions {
  readonly url: string;
  /** Absent: the active sale is meant. */
  readonly saleId: string | undefined;
  /** What is to be bought. */
  readonly items: readonly string[];
  /** Users are called `prefix` and a number; no other user's name begins with it. */
  readonly prefix: string;
  readonly users: number;
  readonly itemsPerUser: number;
  /** Users at work at one time, each on a connection of its own. */
  readonly connections: number;
  readonly contention: boolean;
}

/** How long a user keeps trying while the service is away. */
const PATIENCE_MS = 60_000;
/** With contention, how many users at once want the same item. */
const RIVALS = 4;

/** Buys the items; resolves when every user has done what it could. */
export async function runBuyers(options: BuyersOptions, record: Recorder): Promise<void> {
  const work = options.contention ? fight(options) : share(options);
  await Promise.all(
    Array.from({ length: options.connections }, async () => {
      const connection = openConnection(options.url);
      const open = (): Session => ({
        connection,
        record,
        saleId: options.saleId,
        giveUpAtMs: performance.now() + PATIENCE_MS,
      });
      await work(open);
      connection.close();
    }),
  );
}

/** What one connection does until there is nothing left to do. */
type Work = (open: () => Session) => Promise<void>;

/** Every item has one user who wants it. */
function share({ items, prefix, users, itemsPerUser }: BuyersOptions): Work {
  let next = 0;
  return async (open) => {
    for (let user = next++; user < Math.min(users, items.length); user = next++) {
      const name = `${prefix}${user}`;
      const wanted: string[] = [];
      for (let i = user; i < items.length; i += users) wanted.push(items[i] as string);
      // A user who wants more than a cart holds checks out again.
      for (let i = 0; i < wanted.length; i += itemsPerUser) {
        await visit(open(), name, wanted.slice(i, i + itemsPerUser));
      }
    }
  };
}

async function visit(session: Session, user: string, wanted: readonly string[]): Promise<void> {
  let code: string | undefined;
  for (const item of wanted) {
    const outcome = await checkOut(session, user, item);
    if ('code' in outcome) code = outcome.code;
  }
  if (code !== undefined) await buy(session, user, code);
}

/** All users want the same few items at a time; each is removed when it is sold. */
function fight({ items, prefix, users, itemsPerUser, connections }: BuyersOptions): Work {
  const tableSize = Math.max(1, Math.round(connections / RIVALS));
  const table = items.slice(0, tableSize);
  let next = table.length;
  const takeAway = (item: string) => {
    const place = table.indexOf(item);
    if (place < 0) return;
    const fresh = items[next++];
    if (fresh !== undefined) table[place] = fresh;
    else table.splice(place, 1);
  };
  const waiting = Array.from({ length: users }, (_, user) => user);

  return async (open) => {
    while (table.length > 0) {
      const user = waiting.shift();
      if (user === undefined) {
        // All users are busy, or may buy no more.
        if (waiting.length === 0) await sleep(5);
        continue;
      }
      const satisfied = await grab(open(), `${prefix}${user}`, { table, itemsPerUser, takeAway });
      if (!satisfied) waiting.push(user);
    }
  };
}

interface Fight {
  readonly table: readonly string[];
  readonly itemsPerUser: number;
  readonly takeAway: (item: string) => void;
}

/** One user's attempt; true when the user may buy no more. */
async function grab(
  session: Session,
  user: string,
  { table, itemsPerUser, takeAway }: Fight,
): Promise<boolean> {
  let code: string | undefined;
  let satisfied = false;
  for (let n = 0; n < itemsPerUser && table.length > 0; n++) {
    const item = table[Math.floor(Math.random() * table.length)] as string;
    const outcome = await checkOut(session, user, item);
    if ('code' in outcome) code = outcome.code;
    else if (outcome.refused === 'item_already_sold' || outcome.refused === 'item_not_found') takeAway(item);
    else if (outcome.refused === 'sale_sold_out' || outcome.refused === 'sale_not_active')
      for (const each of [...table]) takeAway(each);
    else if (outcome.refused === 'user_limit_reached') satisfied = true;
  }
  if (code === undefined) return satisfied;
  const outcome = await buy(session, user, code);
  if ('bought' in outcome) for (const item of [...outcome.bought, ...outcome.lost]) takeAway(item);
  return satisfied;
}
