import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { test } from 'node:test';
import {
  type Network,
  networkKeyOf,
  networksOf,
  readAddress,
  readIPv4,
  readNetwork,
} from '../src/network.ts';

/** A generator that repeats itself: a linear congruence. */
function numbersFrom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

test('IPv6 counts by its first 64 bits, however it is written', () => {
  const keys: Record<string, string | undefined> = {
    '2001:db8::1': '2001:db8:0:0::/64',
    '2001:0DB8:0000:0000:ffff:ffff:ffff:ffff': '2001:db8:0:0::/64',
    '2001:db8:0:1::1': '2001:db8:0:1::/64',
    '2001:db8:1:2:3:4:5::': '2001:db8:1:2::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '::1': '0:0:0:0::/64',
    '::': '0:0:0:0::/64',
    '64:ff9b::192.0.2.33': '64:ff9b:0:0::/64',
    '': undefined,
    ':::1': undefined,
    '1::2::3': undefined,
    '12345::': undefined,
    unknown: undefined,
    ' ::1': undefined,
  };
  const keyOf = (text: string) => {
    const groups = readAddress(text);
    return groups && networkKeyOf(groups);
  };
  assert.deepEqual(Object.fromEntries(Object.keys(keys).map((text) => [text, keyOf(text)])), keys);
});

test('IPv4 is what node takes for it, and nothing else', () => {
  const next = numbersFrom(4);
  const parts = [
    '0',
    '1',
    '9',
    '10',
    '99',
    '100',
    '127',
    '199',
    '255',
    '256',
    '00',
    '01',
    '',
    'a',
    '-1',
    '1e1',
    ' 1',
  ];
  let good = 0;
  for (let i = 0; i < 20_000; i++) {
    const length = next(8) === 0 ? next(6) : 4;
    const text = Array.from({ length }, () => parts[next(next(3) === 0 ? parts.length : 9)]).join('.');
    const bits = readIPv4(text);
    assert.equal(bits >= 0, isIP(text) === 4, text);
    if (bits < 0) continue;
    good++;
    assert.deepEqual([(bits >>> 16) & 0xffff, bits & 0xffff], readAddress(text)?.slice(6), text);
  }
  assert.ok(good > 5_000 && good < 19_000, `${good} were good`);
});

test('a network is taken only when it is whole', () => {
  for (const text of [
    '10.0.0.0/8',
    '0.0.0.0/0',
    '192.0.2.1',
    '192.0.2.1/32',
    '::/0',
    '2001:db8::/32',
    '::1/128',
  ])
    assert.ok(readNetwork(text), text);
  for (const text of [
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '/8',
    '',
    'a',
    '2001:db8::1/64',
    '::/129',
    'fe80::1%eth0',
  ])
    assert.equal(readNetwork(text), undefined, text);
});

/** The network of an address, without the bits behind its prefix. */
function maskedTo(groups: readonly number[], bits: number): Network {
  const text = groups.map((group) => group.toString(2).padStart(16, '0')).join('');
  const masked = text.slice(0, bits).padEnd(128, '0');
  return { bits, groups: groups.map((_, i) => Number.parseInt(masked.slice(16 * i, 16 * i + 16), 2)) };
}

test('whether a network contains an address is what node says, for 20,000 pairs', () => {
  const next = numbersFrom(15);
  // Few values, so that many are near each other.
  const address = (isV6: boolean) =>
    isV6
      ? Array.from({ length: 8 }, () => next(3).toString(16)).join(':')
      : Array.from({ length: 4 }, () => next(3)).join('.');
  let inside = 0;
  for (let i = 0; i < 20_000; i++) {
    const [isV6, isOtherV6] = [next(2) === 0, next(8) === 0];
    const [base, bits, other] = [address(isV6), next(isV6 ? 129 : 33), address(isV6 !== isOtherV6)];
    const list = new BlockList();
    list.addSubnet(base, bits, isV6 ? 'ipv6' : 'ipv4');
    const groups = readAddress(base)!;
    const { has, hasIPv4 } = networksOf([maskedTo(groups, bits + (isV6 ? 0 : 96))]);
    const found = has(readAddress(other)!);
    if (isIP(other) === 4) assert.equal(hasIPv4(readIPv4(other)), found, `${base}/${bits} and ${other}`);
    assert.equal(
      found,
      list.check(other, isIP(other) === 6 ? 'ipv6' : 'ipv4'),
      `${base}/${bits} and ${other}`,
    );
    if (found) inside++;
  }
  assert.ok(inside > 1_000 && inside < 19_000, `${inside} were inside`);
});
