import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientOptions, createClientOf } from '../../src/door/client.ts';
import { NO_HEADERS } from '../../src/http/asked.ts';
import { readNetwork } from '../../src/network.ts';

const networks = (...texts: string[]) => texts.map((text) => readNetwork(text)!);

/** The key of a client whose peer and header are these. */
function keyOf(peer: string | undefined, list: string | undefined, more: Partial<ClientOptions> = {}) {
  const header = more.header ?? 'x-forwarded-for';
  const clientOf = createClientOf({
    trusted: networks('10.0.0.0/8', '::1', 'fd00::/8'),
    exempt: networks('198.51.100.0/24'),
    header,
    ...more,
  });
  const headers = { ...NO_HEADERS, [header === 'forwarded' ? 'forwarded' : 'forwardedFor']: list };
  return clientOf({ peer: { remoteAddress: peer }, headers })?.key;
}

test('whoever is no proxy of ours is itself, whatever it says', () => {
  assert.equal(keyOf('203.0.113.9', '1.2.3.4'), '203.0.113.9');
  assert.equal(keyOf('::ffff:203.0.113.9', '1.2.3.4'), '203.0.113.9');
  assert.equal(keyOf(undefined, '1.2.3.4'), undefined);
});

const BEHIND: Record<string, [list: string | undefined, key: string]> = {
  'the address next to it': ['203.0.113.9', '203.0.113.9'],
  'not what the client wrote before it': ['1.2.3.4, 203.0.113.9', '203.0.113.9'],
  'not a proxy that the client pretends': ['1.2.3.4, 10.0.0.7, 203.0.113.9', '203.0.113.9'],
  'the first from the right that is none of our proxies': [
    '1.2.3.4, 203.0.113.9,10.0.0.2 , ::ffff:10.1.1.1',
    '203.0.113.9',
  ],
  'a client inside of our network': ['10.0.0.3', '10.0.0.3'],
  'the leftmost, when all are ours': ['10.0.0.5, 10.0.0.3', '10.0.0.5'],
  'IPv4 with a port': ['203.0.113.9:4711', '203.0.113.9'],
  'IPv6 in brackets with a port': ['[2001:db8::7]:443', '2001:db8:0:0::/64'],
  'IPv6 without': ['2001:db8::7', '2001:db8:0:0::/64'],
  'the proxy itself, when it says nothing': [undefined, '10.0.0.1'],
  'the proxy itself, when it says nonsense': ['unknown', '10.0.0.1'],
  'the last good one, when one further left is nonsense': ['1.2.3.4, _hidden, 10.0.0.2', '10.0.0.2'],
  'the proxy itself for an empty header': ['', '10.0.0.1'],
  'the proxy itself for commas': [',,,', '10.0.0.1'],
  'the proxy itself for an empty last element': ['203.0.113.9,', '10.0.0.1'],
  'the proxy itself for a huge element': ['1'.repeat(4_000), '10.0.0.1'],
  'the proxy itself for a broken bracket': ['[2001:db8::7', '10.0.0.1'],
};
for (const [what, [list, key]] of Object.entries(BEHIND))
  test(`behind a proxy of ours the client is ${what}`, () => {
    assert.equal(keyOf('10.0.0.1', list), key);
  });

test('a header of a thousand proxies of ours is followed for sixteen', () => {
  assert.equal(keyOf('10.0.0.1', `203.0.113.9, ${Array(1_000).fill('10.0.0.2').join(', ')}`), '10.0.0.2');
});

const FORWARDED: Record<string, string> = {
  'for=203.0.113.9': '203.0.113.9',
  'For="[2001:db8:cafe::17]:4711"': '2001:db8:cafe:0::/64',
  'proto=https;for=203.0.113.9;by=10.0.0.1': '203.0.113.9',
  'for=1.2.3.4, for=203.0.113.9;proto=http': '203.0.113.9',
  'for=203.0.113.9, for="[fd00::1]:80"': '203.0.113.9',
  'host="for=1.2.3.4";for=203.0.113.9': '203.0.113.9',
  'for=unknown': '10.0.0.1',
  'for=_gazonk': '10.0.0.1',
  'proto=https': '10.0.0.1',
  'for="203.0.113.9': '10.0.0.1',
};
for (const [list, key] of Object.entries(FORWARDED))
  test(`of Forwarded: ${list} the client is ${key}`, () => {
    assert.equal(keyOf('10.0.0.1', list, { header: 'forwarded' }), key);
  });

test('only the header that is configured is read', () => {
  const clientOf = createClientOf({ trusted: networks('10.0.0.0/8'), exempt: [], header: 'x-forwarded-for' });
  const headers = { ...NO_HEADERS, forwarded: 'for=1.2.3.4' };
  assert.equal(clientOf({ peer: { remoteAddress: '10.0.0.1' }, headers })?.key, '10.0.0.1');
});

test('a campus is exempt, also behind a proxy; nobody becomes exempt by saying so', () => {
  const clientOf = createClientOf({
    trusted: networks('10.0.0.0/8'),
    exempt: networks('198.51.100.0/24'),
    header: 'x-forwarded-for',
  });
  const isExempt = (peer: string, forwardedFor: string) =>
    clientOf({ peer: { remoteAddress: peer }, headers: { ...NO_HEADERS, forwardedFor } })?.isExempt;
  assert.equal(isExempt('10.0.0.1', '198.51.100.77'), true);
  assert.equal(isExempt('10.0.0.1', '198.51.100.77, 203.0.113.9'), false);
  assert.equal(isExempt('203.0.113.9', '198.51.100.77'), false);
});
