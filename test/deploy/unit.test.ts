/** `npm run check -- unit`: deploy/flashsale@.service, as systemd reads it. Skipped where there is no systemd-analyze. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDir } from '../support/stores.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const template = join(root, 'deploy/flashsale@.service');
const instance = join(temporaryDir(), 'flashsale@8080.service');
copyFileSync(template, instance);

const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
const skip = analyze('--version').status !== 0 && 'there is no systemd-analyze';

/** What systemd has to say against a unit; the programs it starts need not be installed here. */
const complaints = (path: string) =>
  analyze('verify', path)
    .stderr.split('\n')
    .filter((line) => line.includes('flashsale@') && !/Command \S+ is not executable/.test(line));

test('systemd understands every line of it', { skip }, () => {
  assert.deepEqual(complaints(instance), []);
  const misspelt = instance.replace('8080', '8081');
  writeFileSync(misspelt, readFileSync(template, 'utf8').replace('KillMode=', 'KilMode='));
  assert.match(complaints(misspelt).join(), /KilMode/);
});

test('its exposure, as systemd rates it, is below 2 of 10', { skip }, () => {
  const { status, stdout } = analyze('security', '--offline=true', '--threshold=20', instance);
  assert.equal(status, 0, stdout.split('\n').slice(-3).join('\n'));
});

test('it is given longer to stop than the service takes at most', () => {
  const deadline = /DEADLINE_MS = (\d+)_000/.exec(
    readFileSync(join(root, 'src/primary/shutdown.ts'), 'utf8'),
  )![1];
  const stop = /^TimeoutStopSec=(\d+)$/m.exec(readFileSync(template, 'utf8'))![1];
  assert.ok(Number(stop) > Number(deadline));
});
