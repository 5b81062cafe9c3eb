/**
 * What the door costs: µs of CPU from a request's headers to its answer, with each part of the door on and off in alternating
 * rounds, the best of which counts; and what the first token of a buyer costs. `npm run perf -- door` (15 s).
 */
import assert from 'node:assert/strict';
import { byKey, bySecret, claimsOf, newSigner, SECRET } from '../campaigns/hardening/tokens.ts';
import { createDoor } from '../src/door/guard.ts';
import { createLimits, type LimitsOptions } from '../src/door/limits.ts';
import { createProof, type Proof } from '../src/door/proof.ts';
import { json } from '../src/http/answer.ts';
import { createAsk, NO_PARAMS } from '../src/http/asked.ts';
import { createCors } from '../src/http/cors.ts';
import { createHandle, type Guard } from '../src/http/handle.ts';
import { parseQuery } from '../src/http/input.ts';
import { readPlainHeaders } from '../src/http/plain-request.ts';
import { readNetwork } from '../src/network.ts';

/** Each request is of another buyer, with headers of its own: nothing that a connection repeats is saved. */
const BUYERS = 10_000;
const ROUNDS = 9;
/** No request is refused. */
const RATE = { perSecond: 100_000, burst: 1_000_000 };
const TOKENS = 2_000;
/** Tokens that are verified at a time, as in a crowd. */
const AT_ONCE = 64;

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const print = (name: string, value: string) => console.log(`${name.padEnd(58)}${value.padStart(16)}`);
const addressOf = (i: number) => `203.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
const headersOf = (i: number, ...more: string[]) =>
  ['Host: shop', `X-Request-Id: request-${i}`, ...more, '', ''].join('\r\n');

const signers = (['EdDSA', 'ES256', 'RS256'] as const).map((algorithm) => newSigner(algorithm, algorithm));
const proof = createProof({
  secrets: [SECRET],
  hasKeys: true,
  issuer: 'https://id.example',
  audience: 'shop',
  leewayS: 30,
  onUnknownKey: () => {},
});
proof.setKeys(signers.map(({ jwk }) => jwk));
const claims = (i: number) => claimsOf(`buyer-${i}`, { iss: 'https://id.example', aud: 'shop' });

const makers: Readonly<Record<string, (i: number) => string>> = {
  HS256: (i) => bySecret(claims(i)),
  ...Object.fromEntries(signers.map((signer) => [signer.alg, (i: number) => byKey(signer, claims(i))])),
};

async function prove(known: Proof, headers: readonly string[]): Promise<void> {
  for (let from = 0; from < headers.length; from += AT_ONCE)
    await Promise.all(headers.slice(from, from + AT_ONCE).map(async (header) => known.prove(header)));
}

/** The second lot is measured: the first compiles. */
async function measureFirst(name: string, make: (i: number) => string): Promise<void> {
  for (const from of [BUYERS, 2 * BUYERS]) {
    const headers = range(TOKENS).map((i) => `Bearer ${make(from + i)}`);
    const began = process.cpuUsage();
    await prove(proof, headers);
    if (from > BUYERS) print(`first token of a buyer, ${name}`, `${(cpuUs(began) / TOKENS).toFixed(0)} µs`);
  }
}

/** CPU of all threads of the process: other programs do not count. */
function cpuUs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

const limitsOf = (more: Partial<LimitsOptions>): Guard =>
  createDoor(
    undefined,
    createLimits({
      user: undefined,
      address: undefined,
      workers: 2,
      trusted: ['10.0.0.0/8', '127.0.0.1'].map((text) => readNetwork(text)!),
      exempt: [readNetwork('198.51.100.0/24')!],
      header: 'x-forwarded-for',
      ...more,
    }),
  ).guard;

interface Variant {
  readonly guard?: Guard;
  readonly cors?: ReturnType<typeof createCors>;
  readonly headers?: (i: number) => string;
  readonly peer?: (i: number) => string;
}

const forwarded = (i: number) => headersOf(i, `X-Forwarded-For: ${addressOf(i)}`);
const VARIANTS: Readonly<Record<string, Variant>> = {
  'nothing on': {},
  'nothing on, again': {},
  'nothing on, with a token': { headers: (i) => headersOf(i, `Authorization: Bearer ${makers.RS256!(i)}`) },
  'proof, remembered': {
    guard: createDoor(proof, undefined).guard,
    headers: (i) => headersOf(i, `Authorization: Bearer ${makers.RS256!(i)}`),
  },
  'rate of the user': { guard: limitsOf({ user: RATE }) },
  'rate of the address': { guard: limitsOf({ address: RATE }) },
  'nothing on, behind a proxy': { headers: forwarded, peer: () => '10.0.0.1' },
  'rate of the address, behind a proxy': {
    guard: limitsOf({ address: RATE }),
    headers: forwarded,
    peer: () => '10.0.0.1',
  },
  'both rates, behind a proxy': {
    guard: limitsOf({ address: RATE, user: RATE }),
    headers: forwarded,
    peer: () => '10.0.0.1',
  },
  'CORS, of an allowed origin': {
    cors: createCors(['https://shop.example']),
    headers: (i) => headersOf(i, 'Origin: https://shop.example'),
  },
};

const ask = createAsk();
const sold = json(409, {});
const route = { path: '/checkout', needsBuyer: true, answer: () => sold } as const;

async function prepare({ guard, cors, headers = headersOf, peer = addressOf }: Variant) {
  const handle = createHandle({
    observe: () => {},
    onError: (_, error) => assert.fail(String(error)),
    guard,
    cors,
  });
  const requests = range(BUYERS).map((i) => ({
    text: headers(i),
    query: `user_id=buyer-${i}&id=lamp-1`,
    peer: { remoteAddress: peer(i) },
  }));
  const answer = ({ text, query, peer }: (typeof requests)[number]) =>
    handle(
      ask({
        route,
        method: 'POST',
        path: '/checkout',
        params: NO_PARAMS,
        query: parseQuery(query),
        headers: readPlainHeaders(text)!,
        peer,
      }),
    );
  // The first time tokens are verified.
  for (const request of requests) assert.equal((await answer(request)).status, 409);
  return () => {
    const began = process.cpuUsage();
    let wrong = 0;
    for (const request of requests) {
      const answered = answer(request);
      if (answered instanceof Promise || answered.status !== 409) wrong++;
    }
    assert.equal(wrong, 0);
    return cpuUs(began) / BUYERS;
  };
}

for (const [name, make] of Object.entries(makers)) await measureFirst(name, make);
const variants: { name: string; run: () => number; us: number[] }[] = [];
for (const [name, variant] of Object.entries(VARIANTS))
  variants.push({ name, run: await prepare(variant), us: [] });
for (let round = 0; round < ROUNDS; round++)
  for (const { run, us } of round % 2 === 0 ? variants : [...variants].reverse()) us.push(run());
for (const { name, us } of variants) print(`a request, ${name}`, `${Math.min(...us).toFixed(2)} µs`);
