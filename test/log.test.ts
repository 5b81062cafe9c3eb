import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { test } from 'node:test';

/** A process that logs so many lines of a kilobyte, and leaves with 3. */
function logging(lines: number, stdout: 'pipe' | number) {
  const script = `
    import { openLog } from ${JSON.stringify(new URL('../src/log.js', import.meta.url).href)};
    const { log, flush } = openLog('info', 'test');
    await new Promise((resolve) => process.once('message', resolve));
    for (let i = 0; i < ${lines}; i++) log.info('x'.repeat(1_000));
    await flush();
    process.exit(3);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', stdout, 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, ended, begin: () => child.send('begin') };
}

test('all lines are written before a process ends', async () => {
  const { child, ended, begin } = logging(5_000, 'pipe');
  begin();
  let text = '';
  for await (const chunk of child.stdout!.setEncoding('utf8')) text += chunk;
  assert.deepEqual(await ended, [3, null]);
  assert.equal(text.trimEnd().split('\n').length, 5_000);
});

test('a reader that is gone, and a disk that is full, hold nobody up', async () => {
  const { child, ended, begin } = logging(1, 'pipe');
  child.stdout!.destroy();
  begin();
  assert.deepEqual(await ended, [3, null]);
  const full = logging(5_000, openSync('/dev/full', 'w'));
  full.begin();
  assert.deepEqual(await full.ended, [3, null]);
});

test('a reader that stands still holds the end up for a second, not for ever', async () => {
  const { child, ended, begin } = logging(5_000, 'pipe');
  child.stdout!.pause();
  begin();
  assert.deepEqual(await ended, [null, 'SIGKILL']);
});
