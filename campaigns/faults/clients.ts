import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from './history.ts';
import { newAgent } from './http.ts';
import { checkout, purchase, type Target } from './operations.ts';
import { type Random, seeded } from './random.ts';

/** Users who shop from several places at once, so that carts and limits are fought over. */
const SHARED_USERS = 24;
/** How long after the heal a client keeps asking for an outcome; then the checker reports it. */
const PERSIST_MS = 12_000;

export interface LoadOptions {
  readonly target: Target;
  readonly items: readonly string[];
  readonly clients: number;
  /** Longest pause between two flows of a client: sets the pace at which a sale is sold. */
  readonly thinkMs: number;
  readonly seed: number;
  /** When the fault was healed; undefined until then. */
  readonly healedAt: () => number | undefined;
}

export interface Load {
  /** Lets every flow end; resolves when all have. */
  stop(): Promise<void>;
}

/** Clients that shop, retry, post twice, fight over items, ask for what does not exist, and sometimes walk away. */
export function startLoad(options: LoadOptions): Load {
  const sold = new Set<string>();
  let stopped = false;
  const shoppers = Array.from({ length: options.clients }, async (_, n) => {
    const random = seeded(options.seed * 1_000 + n);
    const agent = newAgent(2);
    for (let flow = 0; !stopped; flow++) {
      const user = random.chance(0.2) ? `shared-${random.between(1, SHARED_USERS)}` : `u${n}-${flow}`;
      await shop({ ...options, random, agent, sold }, user);
      await sleep(random.next() * options.thinkMs);
    }
    agent.destroy();
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all(shoppers);
    },
  };
}

interface Shopper extends LoadOptions {
  readonly random: Random;
  readonly agent: ReturnType<typeof newAgent>;
  /** Items that a client of this run knows to be sold. */
  readonly sold: Set<string>;
}

async function shop(shopper: Shopper, user: string): Promise<void> {
  const { target, agent, random, sold } = shopper;
  let code: string | undefined;
  for (let line = random.between(1, 3); line > 0; line--) {
    const item = chooseItem(shopper);
    const end = await checkout(target, agent, user, item);
    if (end.answer === 'item_already_sold') sold.add(item);
    code = end.code ?? code;
    if (end.type === 'fail') await sleep(50);
  }
  if (code === undefined) return;
  if (random.chance(0.2)) await sleep(random.next() * 1_000);
  // Two posts of one code at once, as by a double tap.
  const posts = random.chance(0.15) ? 2 : 1;
  await Promise.all(Array.from({ length: posts }, () => buy(shopper, user, code)));
  if (random.chance(0.15)) await purchase(target, agent, user, code, random.chance(0.5));
}

function chooseItem({ items, random, sold }: Shopper): string {
  if (random.chance(0.03)) return `${(items[0] as string).slice(0, -4)}zzz${random.between(0, 9)}`;
  if (random.chance(0.2)) return random.pick(items.slice(0, 40));
  let item = random.pick(items);
  for (let tries = 0; tries < 20 && sold.has(item); tries++) item = random.pick(items);
  return item;
}

/** Posts a code until its outcome is known; some clients give up before. */
async function buy({ target, agent, random, healedAt }: Shopper, user: string, code: string): Promise<void> {
  const walksAway = random.chance(0.4);
  const since = target.history.now();
  let end: Entry;
  do {
    end = await purchase(target, agent, user, code, random.chance(0.3));
    if (end.type === 'ok' || walksAway) return;
    await sleep(100 + random.next() * 200);
  } while (target.history.now() - Math.max(since, healedAt() ?? target.history.now()) < PERSIST_MS);
}

/** Buys what is left, each cart by a user of its own, until nothing is or the time is over. */
export async function sellOut(
  target: Target,
  listLeft: () => Promise<readonly string[]>,
  limit: number,
  deadlineMs: number,
): Promise<boolean> {
  const until = target.history.now() + deadlineMs;
  for (let round = 0; ; round++) {
    const left = await listLeft();
    if (left.length === 0) return true;
    if (target.history.now() > until) return false;
    if (round > 0) await sleep(200);
    const carts: string[][] = [];
    for (let i = 0; i < left.length; i += limit) carts.push(left.slice(i, i + limit));
    await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const agent = newAgent(1);
        for (let i = n; i < carts.length && target.history.now() < until; i += 12) {
          await buyCart(target, agent, `last${round}-${i}`, carts[i] as string[], until);
        }
        agent.destroy();
      }),
    );
  }
}

async function buyCart(
  target: Target,
  agent: ReturnType<typeof newAgent>,
  user: string,
  items: readonly string[],
  until: number,
) {
  let code: string | undefined;
  for (const item of items) {
    const end = await checkout(target, agent, user, item);
    code = end.code ?? code;
  }
  while (code !== undefined && target.history.now() < until) {
    const end = await purchase(target, agent, user, code);
    if (end.type === 'ok') return;
    await sleep(100);
  }
}
