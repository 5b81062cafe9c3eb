import { setTimeout as sleep } from 'node:timers/promises';
import { withPostgres } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { leads } from './faults-leaders.ts';
import { call, newAgent, parseBody } from './http.ts';
import type { Service } from './service.ts';
import { until } from './stand.ts';

/** Purchases whose payments are confirmed, released and due at the same moment. */
const PURCHASES = 60;
const PAYMENT_SECONDS = 600;
const HEARD_MS = 10_000;
const SETTLED_MS = 15_000;

type Post = (path: string, body?: unknown) => ReturnType<typeof call>;

/** A sale with a payment window, all of it bought; the codes. */
async function buyAll(post: Post, violate: FaultContext['violate']): Promise<string[]> {
  const items = Array.from({ length: PURCHASES }, (_, n) => ({ id: `paid-${n}`, name: `Thing ${n}` }));
  const created = await post('/admin/sales', { payment_seconds: PAYMENT_SECONDS, items });
  const { id } = parseBody(created).data as { id: string };
  // Of a sale that was just made the other box hears within a second.
  const persist = async (path: string, what: string) => {
    for (const end = Date.now() + HEARD_MS; ; await sleep(100)) {
      const reply = await post(path);
      if (reply.status === 200) return reply;
      if (Date.now() < end) continue;
      violate('unexpected-answer', `${reply.status} to ${what}`);
      return reply;
    }
  };
  const buy = async (item: string) => {
    const cart = await persist(
      `/checkout?user_id=payer-${item}&id=${item}&sale_id=${id}`,
      `a cart of ${item}`,
    );
    const code = String(parseBody(cart).code);
    await persist(`/purchase?code=${code}`, `the purchase of ${item}`);
    return code;
  };
  return Promise.all(items.map(({ id: item }) => buy(item)));
}

/** Payments are due while they are confirmed and released, and the leader is killed: one way wins each, and it is the one answered. */
async function settleAtOnce(context: FaultContext): Promise<void> {
  const { stand, random, clock, violate } = context;
  const agent = newAgent(32);
  const post: Post = (path, body) => {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return call(agent, random.pick(stand.urls()) + path, { method: 'POST', ...(body !== undefined && json) });
  };
  const { databaseUrl } = stand.direct();
  const codes = await buyAll(post, violate);
  const [one, two] = stand.services as readonly [Service, Service];
  const leader = (await leads(one)) ? one : two;
  const won = new Map<string, string>();
  const settle = async (code: string, way: 'confirm' | 'release') => {
    await sleep(random.between(0, 1_500));
    const { status, body } = await post(`/admin/purchases/${code}/${way}`);
    if (status === 200) won.set(code, String((JSON.parse(body) as { state: string }).state));
  };
  const makeDue = async () => {
    for (const code of codes) {
      await sleep(random.between(0, 25));
      await withPostgres(databaseUrl, (client) =>
        client.query(`update payments set due_at = now() where code = $1 and state = 'pending'`, [code]),
      );
    }
  };
  const kill = async () => {
    await sleep(random.between(200, 900));
    await leader.kill();
    clock();
    await leader.start();
  };
  await Promise.all([
    ...codes.map((code) => settle(code, 'confirm')),
    ...codes.map((code) => random.between(0, 2) === 0 && settle(code, 'release')),
    makeDue(),
    kill(),
  ]);
  agent.destroy();
  const read = () => readSettled(databaseUrl, codes);
  await until(
    async () => (await read()).every(({ state }) => state !== 'pending'),
    'no payment waits',
    SETTLED_MS,
  );
  for (const { code, state, held, back } of await read()) {
    const [wantedHeld, wantedBack] = state === 'confirmed' ? [1, 0] : [0, 1];
    if (held !== wantedHeld || back !== wantedBack)
      violate('settled-twice', `${code} is ${state}, holds ${held} units, and came back ${back} times`);
    const told = won.get(code);
    if (told !== undefined && told !== (state === 'confirmed' ? 'confirmed' : 'released'))
      violate('settled-twice', `${code} was answered ${told}, and is ${state}`);
  }
  context.count('settled', codes.length);
}

interface Settled {
  readonly code: string;
  readonly state: string;
  readonly held: number;
  readonly back: number;
}

const readSettled = (databaseUrl: string, codes: readonly string[]): Promise<Settled[]> =>
  withPostgres(databaseUrl, async (client) => {
    const { rows } = await client.query<Settled>(
      `select p.code, p.state, (select count(*) from purchases b where b.code = p.code)::int as held,
         (select count(*) from returns r where r.code = p.code)::int as back
       from payments p where p.code = any($1)`,
      [codes],
    );
    return rows;
  });

export const paymentFaults: readonly Fault[] = [
  { name: 'payments-settled-at-once', stands: ['two-boxes'], inject: settleAtOnce },
];
