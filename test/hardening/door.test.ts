import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attackDoor } from '../../campaigns/hardening/door.ts';

test('no forged token buys, no header makes an address another one, and every refused checkout is logged', async (t) => {
  const violations = await attackDoor({ tries: 2_000, seed: 15, say: (line) => t.diagnostic(line) });
  assert.deepEqual(violations, []);
});
