import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bearer, byKey, claimsOf, newSigner, type Signer } from '../hardening/tokens.ts';
import { withRedis } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { call, newAgent, parseBody } from './http.ts';
import { restartRedis, until } from './stand.ts';

const EARLY = 60;
const LATE = 30;
/** Admits them all in some seconds, so that Redis goes in the middle of it. */
const RATE = 15;
const PATIENCE_MS = 20_000;

interface Turn {
  readonly ticket: string;
  readonly place: number | null;
  readonly admitted: boolean;
  readonly state: string;
}

/** A queue, and what its buyers do; everything is asked until it is answered. */
function openQueue(url: string) {
  const agent = newAgent(32);
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
  return {
    close: () => agent.destroy(),
    async newSale(startsInMs: number): Promise<string> {
      const at = (ms: number) => new Date(Date.now() + ms).toISOString();
      const { data } = await ask<{ data: { id: string } }>('POST', '/admin/sales', {
        ...{ total_items: 1, started_at: at(startsInMs), ended_at: at(120_000) },
        queue: { admit_per_second: RATE },
      });
      return data.id;
    },
    join: (sale: string, user: string) => ask<Turn>('POST', `/queue?user_id=${user}&sale_id=${sale}`),
    turnOf: (ticket: string) => ask<Turn>('GET', `/queue/${ticket}`),
  };
}

/** A sale with a queue is under way when Redis is emptied, or restarted: nobody's place moves, and none is given twice. */
async function queueThroughRebuild({ stand, random, clock, violate }: FaultContext): Promise<void> {
  const queue = openQueue(stand.urls()[0] as string);
  const sale = await queue.newSale(2_000);
  const joinAll = (name: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => queue.join(sale, `${name}-${i}`)));
  const early = await joinAll('early', EARLY);
  await until(
    async () => (await queue.turnOf(early[0]?.ticket as string)).place !== null,
    'the draw',
    PATIENCE_MS,
  );
  const tickets = [...early, ...(await joinAll('late', LATE))].map(({ ticket }) => ticket);
  const turns = () => Promise.all(tickets.map(queue.turnOf));
  await sleep(random.between(200, 2_000));
  const before = await turns();
  clock();
  if (random.chance(0.5)) await withRedis(stand.direct().redisUrl, (client) => client.flushAll());
  else await restartRedis(stand);
  const after = await joinAll('after', LATE);
  const now = await turns();
  for (const [i, { place, admitted }] of before.entries()) {
    if (now[i]?.place !== place) violate('service-broken', `place ${place} became ${now[i]?.place}`);
    if (admitted && now[i]?.state !== 'admitted')
      violate('service-broken', `place ${place} was admitted once`);
  }
  const numbered = [...now.slice(EARLY), ...after].map(({ place }) => place);
  if (new Set(numbered).size !== numbered.length)
    violate('service-broken', `places ${numbered} are not each of one`);
  await until(async () => (await turns()).every(({ admitted }) => admitted), 'all are admitted', PATIENCE_MS);
  clock();
  queue.close();
}

const KEY_FILE = join(tmpdir(), `flashsale-faults-keys-${process.pid}.json`);
/** A file of keys is read each 5 s. */
const READ_MS = 6_000;
let signer: Signer | undefined;
const publish = (...signers: readonly Signer[]) =>
  writeFileSync(KEY_FILE, JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));

/** The first key, published before the service starts. */
function currentSigner(): Signer {
  if (signer !== undefined) return signer;
  const first = newSigner('ES256', 'key-0');
  publish(first);
  signer = first;
  return first;
}

/** Keys of buyers are published, used, and withdrawn under load: no buyer is refused who goes by the key set. */
async function rotateKeys({ target, full, random, clock, violate }: FaultContext): Promise<void> {
  for (let turn = full ? 4 : 1; turn > 0; turn--) {
    const [old, next] = [
      currentSigner(),
      newSigner(random.pick(['EdDSA', 'ES256', 'RS256']), `key-${Date.now()}`),
    ];
    publish(old, next);
    await sleep(READ_MS);
    signer = next;
    // Requests with the old key are still under way.
    await sleep(1_000);
    publish(next);
    await sleep(READ_MS);
    clock();
  }
  const refused = target.history.lines.filter(
    (line) => 'answer' in line && /^buyer_/.test(String(line.answer)),
  );
  if (refused.length > 0) violate('unexpected-answer', `${refused.length} buyers were refused`);
}

export const doorFaults: readonly Fault[] = [
  {
    name: 'queue-rebuild',
    stands: ['owned', 'private'],
    losesRedis: true,
    losesLog: true,
    inject: queueThroughRebuild,
  },
  {
    name: 'key-rotation',
    stands: ['private'],
    noFailures: true,
    get env() {
      currentSigner();
      return { BUYER_JWKS: KEY_FILE };
    },
    proofOf: (user) => bearer(byKey(currentSigner(), claimsOf(user))),
    inject: rotateKeys,
  },
];
