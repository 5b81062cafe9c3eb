import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attackIntake } from '../../campaigns/hardening/intake.ts';

test('bodies of new sales that are no good are refused, all of them, and nothing is made of one', async (t) => {
  assert.deepEqual(await attackIntake({ bodies: 400, seed: 1, say: (line) => t.diagnostic(line) }), []);
});
