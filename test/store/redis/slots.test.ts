import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf, readOwners, readRedirect, SLOTS } from '../../../src/store/redis/slots.ts';

test('a host that is not named is the one that answered', () => {
  const redirect = (message: string) => readRedirect(new Error(message), '10.0.0.1');
  assert.deepEqual(redirect('MOVED 3999 :6381'), { address: '10.0.0.1:6381', asking: false });
  assert.deepEqual(redirect('ASK 3999 fd00::7:6381'), { address: 'fd00::7:6381', asking: true });
  assert.equal(redirect('ERR no such thing'), undefined);
  const owners = readOwners([[0, SLOTS - 1, [null, 6381]]], '10.0.0.1');
  assert.deepEqual(new Set(owners), new Set(['10.0.0.1:6381']));
  assert.deepEqual(placeOf('fd00::7:6381'), { host: 'fd00::7', port: 6381 });
});
