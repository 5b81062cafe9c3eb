import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import { isPrivate, PrivateAddress, publicLookup } from '../../src/feed/address.ts';

test('addresses that are not of the internet are known', () => {
  const inside = [
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1'],
    ...['172.31.255.255', '192.0.0.8', '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
    ...['::', '::1', 'fc00::1', 'fdff::1', 'fe80::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1'],
    ...['::ffff:a9fe:a9fe', '64:ff9b::7f00:1', '2002:7f00:1::', '2001::1'],
  ];
  for (const address of inside) assert.equal(isPrivate(address), true, address);
  const outside = [
    '1.1.1.1',
    '93.184.215.14',
    '100.63.0.1',
    '172.32.0.1',
    '192.0.1.1',
    '2606:4700::1111',
    '2a00::1',
    '::ffff:8.8.8.8',
  ];
  for (const address of outside) assert.equal(isPrivate(address), false, address);
});

/** A name that is answered with these addresses, one answer after the other. */
function lookupOf(...answers: LookupAddress[][]) {
  const seen: string[] = [];
  const lookup = publicLookup((hostname, _options, callback) => {
    seen.push(hostname);
    callback(null, answers.shift() ?? []);
  });
  const ask = (all: boolean) =>
    new Promise<unknown>((resolve) =>
      lookup('shop.example', { all }, (error, found) => resolve(error ?? found)),
    );
  return { ask, seen };
}

test('what was checked is what is connected to; one private address among several is enough to refuse', async () => {
  const good = [
    { address: '1.1.1.1', family: 4 },
    { address: '2606:4700::1111', family: 6 },
  ];
  const mixed = [...good, { address: '10.0.0.1', family: 4 }];
  const { ask, seen } = lookupOf(good, good, mixed, [{ address: '127.0.0.1', family: 4 }], []);
  assert.deepEqual(await ask(true), good);
  assert.equal(await ask(false), '1.1.1.1');
  assert.ok((await ask(true)) instanceof PrivateAddress);
  assert.ok((await ask(false)) instanceof PrivateAddress);
  assert.match(String(await ask(true)), /no address/);
  assert.equal(seen.length, 5, 'asked once for each connection');
});
