import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harden } from '../../campaigns/hardening/campaign.ts';

/** Runs alone: it floods the machine, and sees whether others are served as before. */
test('malformed requests and slow clients disturb nobody, and leave nothing behind', async (t) => {
  const violations = await harden({
    malformed: 3_000,
    slow: 60,
    seed: 1,
    brief: true,
    say: (line) => t.diagnostic(line),
  });
  assert.deepEqual(violations, []);
});
