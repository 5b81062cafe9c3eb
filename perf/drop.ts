/**
 * A drop, simulated: people, and bots among them. Without tokens, rates and a queue bots get most of it; with them everybody has the
 * same chance, which a chi-square over many drops says. `npm run perf -- drop`.
 */
import { parseArgs } from 'node:util';
import { SECRET } from '../campaigns/hardening/tokens.ts';
import { openConnection } from './client.ts';
import { EXIT, readCount, runCommand } from './command.ts';
import { type Crowd, type DropSale, runCrowd } from './drop-crowd.ts';
import { makeDataDir, startService } from './service.ts';
import { listItems, timeAt } from './shop.ts';

const HELP = `npm run perf -- drop [options]

  --people 2000     of whom these are
  --bots 50         bots
  --bot-rate 100    requests of a bot per second
  --items 200       of each drop
  --drops 50        with the door; without it there is one
  --at-once 10      of them side by side`;

/** Buyers who join per second; and so many seconds more. */
const [JOINS_PER_SECOND, JOIN_LEAST_S] = [1_500, 4];
/** One in a million fair results is above it. */
const Z_MAX = 4.75;

interface Options extends Omit<Crowd, 'url'> {
  readonly items: number;
  readonly drops: number;
  readonly atOnce: number;
}

async function newSale(url: string, { people, atOnce, items }: Options, guarded: boolean): Promise<DropSale> {
  const connection = openConnection(url);
  const startsInS = guarded ? JOIN_LEAST_S + (people * atOnce) / JOINS_PER_SECOND : 3;
  const reply = await connection.post(
    '/admin/sales',
    JSON.stringify({
      ...{ total_items: items, user_limit: 1 },
      ...{ started_at: timeAt(startsInS * 1_000), ended_at: timeAt(600_000) },
      // Slower than people and this box are: the draw decides, and who is admitted finds something left.
      ...(guarded && { queue: { admit_per_second: Math.max(10, items / 20) } }),
    }),
  );
  connection.close();
  if (reply.status !== 201) throw new Error(`no sale could be made: ${reply.status} ${reply.body}`);
  const { data } = JSON.parse(reply.body) as { data: { id: string; started_at: string } };
  return {
    id: data.id,
    items: await listItems(url, data.id, false),
    startsAtMs: Date.parse(data.started_at),
    winners: [],
    missed: 0,
    sold: new Set(),
  };
}

/** Drops with the door or without, some at a time, on a service of their own. */
async function runDrops(options: Options, drops: number, guarded: boolean): Promise<DropSale[]> {
  const { dataDir, remove } = makeDataDir();
  const door = { BUYER_SECRET: SECRET, RATE_USER: '20,60' };
  const service = await startService(dataDir, {
    ...{ WORKERS: '2', LOG_REQUESTS: 'failures', HOURLY_SALES: 'off' },
    ...(guarded && door),
  });
  const done: DropSale[] = [];
  try {
    while (done.length < drops) {
      const count = Math.min(options.atOnce, drops - done.length);
      const sales: DropSale[] = [];
      while (sales.length < count) sales.push(await newSale(service.url, options, guarded));
      await runCrowd({ ...options, url: service.url }, sales, guarded);
      done.push(...sales);
    }
    return done;
  } finally {
    await service.stop();
    remove();
  }
}

const isBot = (user: string) => user.startsWith('bot-');
const botsIn = ({ winners }: DropSale) => winners.filter(isBot).length;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
/** A chi-square as so many standard deviations of a normal distribution (Wilson and Hilferty). */
const zOf = (chi: number, freedom: number): number =>
  (Math.cbrt(chi / freedom) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));

/** How far the winners are from fair: as groups, drop by drop, and each person over all drops. */
export function judge(sales: readonly DropSale[], { people, bots, items }: Options) {
  const share = bots / people;
  const expected = items * share;
  const variance = (expected * (1 - share) * (people - items)) / (people - 1);
  const groups = sum(sales.map((sale) => (botsIn(sale) - expected) ** 2 / variance));
  const wins = new Map<string, number>();
  for (const { winners } of sales) for (const user of winners) wins.set(user, (wins.get(user) ?? 0) + 1);
  const chance = items / people;
  const mean = sales.length * chance;
  const squares =
    sum([...wins.values()].map((count) => (count - mean) ** 2)) + (people - wins.size) * mean ** 2;
  return {
    botShare: sum(sales.map(botsIn)) / sum(sales.map(({ winners }) => winners.length)),
    fairShare: share,
    groups: { chi: groups, freedom: sales.length, z: zOf(groups, sales.length) },
    persons: {
      chi: squares / (mean * (1 - chance)),
      freedom: people - 1,
      z: zOf(squares / (mean * (1 - chance)), people - 1),
    },
    twice: sales.filter(({ winners }) => new Set(winners).size < winners.length).length,
    missed: sum(sales.map(({ missed }) => missed)) / sum(sales.map(() => items * (1 - share))),
    unsold: sum(sales.map((sale) => sale.items.length - sale.winners.length)),
  };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

await runCommand('drop', async () => {
  const { values } = parseArgs({
    options: {
      ...{ people: { type: 'string' }, bots: { type: 'string' }, 'bot-rate': { type: 'string' } },
      ...{ items: { type: 'string' }, drops: { type: 'string' }, 'at-once': { type: 'string' } },
      help: { type: 'boolean', short: 'h' },
    } as const,
  });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const options: Options = {
    people: readCount('people', values.people, 2_000),
    bots: readCount('bots', values.bots, 50),
    botRate: readCount('bot-rate', values['bot-rate'], 100),
    items: readCount('items', values.items, 200),
    drops: readCount('drops', values.drops, 50),
    atOnce: readCount('at-once', values['at-once'], 10),
  };
  const { people, bots, drops, items } = options;
  console.log(`${people} people, of whom ${bots} bots with ${options.botRate} requests/s; ${items} items`);
  const open = judge(await runDrops(options, 1, false), options);
  console.log(
    `without the door, 1 drop: bots got ${percent(open.botShare)}; they are ${percent(open.fairShare)}`,
  );
  const fair = judge(await runDrops(options, drops, true), options);
  const { groups, persons } = fair;
  console.log(`with tokens, rates and a draw, ${drops} drops: bots got ${percent(fair.botShare)}`);
  console.log(
    `  of the people with a place among the first ${items}, bought nothing: ${percent(fair.missed)}`,
  );
  console.log(
    `  bots and people, drop by drop: chi-square ${groups.chi.toFixed(1)} of ${groups.freedom}, z ${groups.z.toFixed(2)}`,
  );
  console.log(
    `  each person over all drops: chi-square ${persons.chi.toFixed(0)} of ${persons.freedom}, z ${persons.z.toFixed(2)}`,
  );
  console.log(`  unsold ${fair.unsold}; drops in which somebody bought twice: ${fair.twice}`);
  const isFair = groups.z < Z_MAX && persons.z < Z_MAX && fair.twice === 0 && fair.unsold === 0;
  return isFair && open.botShare > fair.botShare ? EXIT.ok : EXIT.differs;
});
