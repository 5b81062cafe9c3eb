import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStores } from '../../perf/command.ts';
import { makeDataDir, type OwnService, startService } from '../../perf/service.ts';
import { seeded } from '../faults/random.ts';
import {
  ATTACKER,
  AUDIENCE,
  addressTry,
  type Prey,
  setStranger,
  THIEF,
  type Try,
  ticketTry,
  tokenTry,
  VICTIM,
} from './door-tries.ts';
import { judge } from './malformed.ts';
import { converse } from './raw.ts';
import { createTally, type Tally } from './tally.ts';
import { bySecret, claimsOf, newSigner, SECRET } from './tokens.ts';
import { compareWorkers, readWorkers } from './workers.ts';

export interface DoorOptions {
  /** How many tries; half of them with tokens, half with addresses. */
  readonly tries: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const WORKERS = 2;
const CONNECTIONS = 64;
const NAMED_MAX = 20;
/** Requests of an address: per second, at once. */
const [RATE, BURST] = [2, 20];
/** Workers tell each other what they gave this often. */
const TOLD_S = 0.25;
/** Attempts are in Postgres some two seconds after they were made. */
const SHIPPED_MS = 3_000;
/** Of the tries with tokens; a busy machine's Redis is late now and then, and then nothing happens. */
const BUSY_SHARE = 1 / 1_000;
/** Attempts that the door and the queue refuse. */
const REFUSED = ['buyer_unproven', 'buyer_mismatch', 'rate_limited', 'not_admitted'];
const ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const;

/** Tries to buy as somebody else, and to ask from addresses that are none; returns one sentence for each promise that was broken. */
export async function attackDoor(options: DoorOptions): Promise<string[]> {
  const { dataDir, remove } = makeDataDir();
  const signers = ALGORITHMS.map((algorithm) => newSigner(algorithm, `key of ${algorithm}`));
  for (const algorithm of ALGORITHMS) setStranger(newSigner(algorithm, 'stranger'));
  const file = join(dataDir, 'keys.json');
  writeFileSync(file, JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));
  const service = await startService(dataDir, {
    WORKERS: String(WORKERS),
    SALE_ITEMS: '20',
    BUYER_SECRET: SECRET,
    BUYER_JWKS: file,
    BUYER_AUDIENCE: AUDIENCE,
    RATE_ADDRESS: `${RATE},${BURST}`,
    RATE_EXEMPT: '198.51.100.0/24',
    TRUSTED_PROXIES: '127.0.0.1',
  });
  try {
    return await attack(service, signers, options);
  } finally {
    await service.stop();
    remove();
  }
}

async function attack(
  service: OwnService,
  signers: Prey['signers'],
  options: DoorOptions,
): Promise<string[]> {
  const { url } = service;
  const { tries, seed, say } = options;
  const prey = { signers, ...(await shop(url)) };
  const half = Math.floor(tries / 2);
  const before = await readWorkers(url, WORKERS);
  const tokens = await sendTries(url, half, (i) => {
    const random = seeded(seed + i);
    return random.chance(0.2) ? ticketTry(random, prey) : tokenTry(random, prey);
  });
  say(`${half} tokens and tickets from seed ${seed}: ${tokens.outcomes.text()}`);
  const beganMs = performance.now();
  const addresses = await sendTries(url, half, (i) => addressTry(seeded(seed + half + i)));
  const owed = BURST * WORKERS + RATE * ((performance.now() - beganMs) / 1_000 + TOLD_S * WORKERS);
  const passed = addresses.outcomes.of(200);
  say(`${half} headers for one address: ${addresses.outcomes.text()}; ${owed.toFixed(0)} were its due`);
  const violations = [...tokens.violations, ...addresses.violations];
  const busy = tokens.outcomes.of(503);
  if (busy > half * BUSY_SHARE) violations.push(`${busy} of ${half} tries were answered 503`);
  if (passed > owed)
    violations.push(`${ATTACKER} was served ${passed} times; ${owed.toFixed(0)} were its due`);
  violations.push(...(await compareWorkers(url, before)));
  violations.push(...(await compareLog(service, tokens.checkouts)));
  const bought = await asBuyer(url, `POST /purchase?code=${prey.code}`);
  if (bought.status !== 200) violations.push(`the victim's own purchase was answered ${bought.status}`);
  return violations;
}

/** The victim, or somebody else, with a token of its own, from an address that is exempt. */
async function asBuyer(
  url: string,
  target: string,
  user = VICTIM,
): Promise<{ status: number; body: string }> {
  const token = bySecret(claimsOf(user, { aud: AUDIENCE }));
  const headers = ['X-Forwarded-For: 198.51.100.1', `Authorization: Bearer ${token}`, 'Connection: close'];
  const { answers } = await converse(
    url,
    `${target} HTTP/1.1\r\nHost: shop\r\n${headers.join('\r\n')}\r\n\r\n`,
  );
  return answers[0] ?? { status: 0, body: '' };
}

/** Fills a cart of the victim; the item of the tries is another one. */
async function shop(url: string): Promise<Omit<Prey, 'signers'>> {
  const { id: saleId } = JSON.parse((await asBuyer(url, 'GET /sales/active')).body) as { id: string };
  const page = await asBuyer(url, `GET /sales/${saleId}/items`);
  const [own, item] = (JSON.parse(page.body) as { id: string }[]).map(({ id }) => id) as [string, string];
  const cart = await asBuyer(url, `POST /checkout?id=${own}&sale_id=${saleId}`);
  const { code } = JSON.parse(cart.body) as { code: string };
  return { saleId, item, code, queued: await queueUp(url) };
}

/** Makes a sale whose queue admits nobody, and has victim and thief join it. */
async function queueUp(url: string): Promise<Prey['queued']> {
  const made = await fetch(`${url}/admin/sales`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': '198.51.100.1' },
    body: JSON.stringify({ total_items: 1, queue: { admit_per_second: 0 } }),
  });
  const { data } = (await made.json()) as { data: { id: string } };
  const page = await asBuyer(url, `GET /sales/${data.id}/items`);
  const [item] = (JSON.parse(page.body) as { id: string }[]).map(({ id }) => id) as [string];
  const tickets: string[] = [];
  for (const user of [VICTIM, THIEF]) {
    const joined = await asBuyer(url, `POST /queue?sale_id=${data.id}`, user);
    tickets.push((JSON.parse(joined.body) as { ticket: string }).ticket);
  }
  return { saleId: data.id, item, tickets };
}

interface Tried {
  readonly outcomes: Tally<number>;
  readonly violations: string[];
  /** Checkouts that had an answer of the door. */
  readonly checkouts: number;
}

async function sendTries(url: string, count: number, make: (i: number) => Try): Promise<Tried> {
  const outcomes = createTally<number>();
  const violations: string[] = [];
  let [next, checkouts] = [0, 0];
  const client = async () => {
    while (next < count) {
      const own = next++;
      const { text, isCheckout, allowed } = make(own);
      const { answers, rest, closed } = await converse(url, text);
      const [answer] = answers;
      const status = answer?.status ?? 0;
      outcomes.add(status);
      if (isCheckout && [401, 403, 429].includes(status)) checkouts++;
      const wrong = [
        ...answers.flatMap((each) => judge(each, allowed)),
        ...(answers.length === 1 && closed && rest === '' ? [] : ['had not one answer']),
      ];
      if (violations.length < NAMED_MAX)
        violations.push(...wrong.map((what) => `try ${own} ${what}: ${text.slice(0, 600)}`));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  return { outcomes, violations, checkouts };
}

/** Every checkout that was refused is in the attempt log; the victim's own is the only one that was accepted. */
async function compareLog(service: OwnService, refused: number): Promise<string[]> {
  const stores = await openStores(service);
  try {
    await sleep(SHIPPED_MS);
    const text =
      'select count(*) filter (where outcome = any($3))::int as refused, count(*) filter (where outcome <> all($3))::int as others from checkout_attempts where user_id is null or user_id in ($1, $2)';
    const [row] = await stores.postgres.query<{ refused: number; others: number }>({ name: '', text }, [
      VICTIM,
      THIEF,
      REFUSED,
    ]);
    const differences: string[] = [];
    if (row?.refused !== refused)
      differences.push(`${refused} checkouts were refused, and ${row?.refused} are in the attempt log`);
    if (row?.others !== 1) differences.push(`${row?.others} checkouts got past the door; 1 was the victim's`);
    return differences;
  } finally {
    await stores.close();
  }
}
