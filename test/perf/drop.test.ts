import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/**
 * The simulated drop, short: bots that take an open shop have no more than anybody's chance behind the door. Runs alone: where
 * people are kept waiting by other tests, bots win.
 */
test('with tokens, rates and a draw, bots get what as many people would get; without, nearly all', async (t) => {
  const path = fileURLToPath(new URL('../../perf/drop.js', import.meta.url));
  const crowd = '--people 200 --bots 40 --bot-rate 25 --items 40 --drops 6 --at-once 6';
  const child = spawn(process.execPath, [path, ...crowd.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part));
  const [code] = await once(child, 'close');
  t.diagnostic(text);
  assert.equal(code, 0, text);
  const [open, fair] = [...text.matchAll(/bots got ([\d.]+) %/g)].map(([, share]) => Number(share));
  assert.ok(open! > 80 && fair! < open!, text);
  assert.match(text, /unsold 0; drops in which somebody bought twice: 0/);
});
