import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMac } from '../../../src/door/queue/mac.ts';

const hexOf = (key: Uint8Array, text: string) =>
  createMac(Buffer.from(key).toString('hex'))(text).toString('hex');

test('it is HMAC-SHA256: the second case of RFC 4231', () => {
  assert.equal(
    hexOf(Buffer.from('Jefe'), 'what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

test('it is what createHmac says, for any key and any text', () => {
  const key = fc.uint8Array({ maxLength: 64 });
  const text = fc.string({ unit: 'binary', maxLength: 128 });
  fc.assert(
    fc.property(key, text, (key, text) => {
      assert.equal(hexOf(key, text), createHmac('sha256', key).update(text).digest('hex'));
    }),
    { numRuns: 2_000 },
  );
});

test('a text leaves nothing behind for a shorter one, and a longer one is refused instead of cut', () => {
  const key = randomBytes(32);
  const mac = createMac(key.toString('hex'));
  for (const text of ['€'.repeat(256), 'a', '', 'b'.repeat(256)])
    assert.deepEqual(Buffer.from(mac(text)), createHmac('sha256', key).update(text).digest());
  assert.throws(() => mac('c'.repeat(257)), RangeError);
});
