import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lotOf, placeOf } from '../../../src/door/queue/draw.ts';
import { createMac } from '../../../src/door/queue/mac.ts';

/** Seeds that are the same in each run, so that no statistic fails by chance. */
const seedOf = (n: number) => n.toString(16).padStart(64, '0');
const keyOf = (seed: string) => createMac(seed);

/** The check of docs/queue.md, by another implementation of HMAC. */
async function checkedPlace(seed: string, user: string, drawn: number): Promise<number> {
  const { subtle } = globalThis.crypto;
  const bytes = Uint8Array.from(seed.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  const key = await subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const mac = new Uint8Array(await subtle.sign('HMAC', key, new TextEncoder().encode(user)));
  const hex = [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return Math.floor((Number.parseInt(hex.slice(0, 13), 16) / 16 ** 13) * drawn) + 1;
}

test('a place is what the documented check says, for any user id and any number of buyers', async () => {
  for (const [i, user] of ['ada', 'ada@example.com', 'auth0|5f7c', '~'.repeat(128)].entries())
    for (const drawn of [1, 7, 1_000, 2_000_000]) {
      const seed = seedOf(i + 1);
      const place = Math.floor(placeOf(0, lotOf(keyOf(seed), user).fraction, drawn)) + 1;
      assert.equal(place, await checkedPlace(seed, user, drawn), `${user} among ${drawn}`);
      assert.ok(place >= 1 && place <= drawn);
    }
});

test('the published hash is that of the seed, and a known seed gives known places', async () => {
  const hash = await globalThis.crypto.subtle.digest('SHA-256', Buffer.from(seedOf(1), 'hex'));
  assert.equal(
    Buffer.from(hash).toString('hex'),
    'ec4916dd28fc4c10d78e287ca5d9cc51ee1ae73cbfde08c6b37324cbfaac8bc5',
  );
  // printf ada | openssl dgst -sha256 -mac HMAC -macopt hexkey:00…01
  assert.equal(lotOf(keyOf(seedOf(1)), 'ada').fraction, 0x0fb57becba48a / 16 ** 13);
});

test('places are uniform: a chi-square over a hundred parts, for made-up and for numbered users', () => {
  const PARTS = 100;
  const BUYERS = 20_000;
  for (const name of [
    (i: number) => `user-${i}`,
    (i: number) => String(i),
    (i: number) => `${i}@shop.example`,
  ]) {
    const key = keyOf(seedOf(42));
    const counts = new Array<number>(PARTS).fill(0);
    for (let i = 0; i < BUYERS; i++) counts[Math.floor(lotOf(key, name(i)).fraction * PARTS)]!++;
    const expected = BUYERS / PARTS;
    const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 99 degrees of freedom: 99.9 % of fair draws are below 148.2, and 0.1 % below 60.
    assert.ok(chi > 60 && chi < 148.2, `chi-square ${chi}`);
  }
});

test('another seed is another draw: where a buyer stood in one says nothing of the next', () => {
  const BUYERS = 2_000;
  let before = 0;
  const [one, other] = [keyOf(seedOf(7)), keyOf(seedOf(8))];
  for (let i = 0; i < BUYERS; i++)
    if (lotOf(one, `user-${i}`).fraction < lotOf(other, `user-${i}`).fraction) before++;
  // Four standard deviations of a fair coin.
  assert.ok(Math.abs(before - BUYERS / 2) < 4 * Math.sqrt(BUYERS / 4), String(before));
});

test('no two of 100,000 buyers have the same lot, and the later ones stand behind all of them, one by one', () => {
  const BUYERS = 100_000;
  const key = keyOf(seedOf(3));
  const fractions = new Set<number>();
  const names = new Set<string>();
  for (let i = 0; i < BUYERS; i++) {
    const { name, fraction } = lotOf(key, `user-${i}`);
    fractions.add(placeOf(0, fraction, BUYERS));
    names.add(name);
  }
  assert.deepEqual([fractions.size, names.size], [BUYERS, BUYERS]);
  assert.ok(Math.max(...[...fractions].slice(0, 50_000)) < BUYERS);
  assert.deepEqual(
    [1, 2, 3].map((number) => placeOf(number, 0.9, BUYERS)),
    [BUYERS, BUYERS + 1, BUYERS + 2],
  );
});
