import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLANTED } from '../../campaigns/faults/bugs.ts';
import { FAULTS } from '../../campaigns/faults/faults.ts';
import { withBug } from '../../campaigns/faults/planted.ts';

test('every bug can be planted in the code as it is, and is looked for by faults that there are', () => {
  for (const bug of PLANTED) {
    assert.ok(withBug(bug).size > 0, bug.name);
    for (const name of bug.faults)
      assert.ok(
        FAULTS.some((fault) => fault.name === name),
        `${bug.name}: ${name}`,
      );
  }
});
