import { setTimeout as sleep } from 'node:timers/promises';
import { withPostgres } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { leads } from './faults-leaders.ts';
import { followFeed, PORTS, tellingTo } from './follow-feed.ts';
import { signalTo } from './processes.ts';
import { openReceiver, type Received } from './receiver.ts';
import type { Service } from './service.ts';
import { until } from './stand.ts';

/** What may be under way when a leader is killed; it is sent again. */
const UNDER_WAY_MAX = 16;

const codesOf = (events: readonly Received[], saleId: string): string[] =>
  events.flatMap(({ type, data }) =>
    type === 'purchase.completed' && data.sale_id === saleId ? [data.code as string] : [],
  );

/** The codes of the sale that have bought something so far. */
const committed = ({ stand, target }: FaultContext): Promise<string[]> =>
  withPostgres(stand.direct().databaseUrl, async (client) => {
    const { rows } = await client.query('select distinct code from purchases where sale_id = $1', [
      target.saleId,
    ]);
    return rows.map(({ code }) => code);
  });

/** Leaders and workers are killed, and the receiver dies and fails, while it is told what is sold. */
async function killTellers(context: FaultContext): Promise<void> {
  const { stand, random, clock, violate, target } = context;
  const receiver = await openReceiver(PORTS.feed);
  const feed = followFeed(stand);
  let kills = 0;
  try {
    for (let rounds = 2; rounds > 0; rounds--) {
      receiver.answer = () => (random.between(0, 9) === 0 ? 500 : 200);
      await sleep(random.between(100, 600));
      const [one, two] = stand.services as readonly [Service, Service];
      const leader = (await leads(one)) ? one : two;
      await leader.kill();
      kills++;
      clock();
      await leader.start();
      const workers = stand.services.flatMap((service) => service.workers());
      signalTo(random.pick(workers), 'SIGKILL');
      await receiver.die();
      await sleep(random.between(100, 600));
      await receiver.comeBack();
    }
    receiver.answer = () => 200;
    const codes = await committed(context);
    const missing = () => {
      const heard = new Set(codesOf(receiver.taken, target.saleId));
      return codes.filter((code) => !heard.has(code));
    };
    await until(async () => missing().length === 0, 'every purchase is told', 30_000).catch(() =>
      violate('event-missed', `${missing().length} of ${codes.length} webhooks, one of them ${missing()[0]}`),
    );
    const twice = receiver.taken.length - new Set(receiver.taken.map(({ id }) => id)).size;
    if (twice > kills * UNDER_WAY_MAX)
      violate('event-twice', `${twice} webhooks came twice in ${kills} kills`);
    const read = codesOf(await feed.stop(), target.saleId);
    const seen = new Set(read);
    const unread = codes.filter((code) => !seen.has(code));
    if (unread.length > 0)
      violate('event-missed', `${unread.length} of ${codes.length} in the feed, one of them ${unread[0]}`);
    if (read.length > seen.size) violate('event-twice', `${read.length - seen.size} events of the feed`);
    context.count('told', codes.length);
  } finally {
    await feed.stop();
    await receiver.die();
  }
}

export const feedFaults: readonly Fault[] = [
  {
    name: 'feed-kills',
    stands: ['two-boxes'],
    env: tellingTo(PORTS.feed),
    inject: killTellers,
  },
];
