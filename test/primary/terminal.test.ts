import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readServiceFile } from '../../src/primary/service-file.ts';
import { atEnd } from '../support/at-end.ts';
import { openHttp } from '../support/http.ts';
import { signalAll, treeOf, until } from '../support/processes.ts';
import { freePort } from '../support/service.ts';
import { addShelf, fillCart, purchase } from '../support/shop.ts';
import { temporaryDir } from '../support/stores.ts';

/** The service as a newcomer sees it: on a pseudo-terminal of 80 columns, which `script` of util-linux makes. */
const hasScript = spawnSync('script', ['-V'], { encoding: 'utf8' }).stdout?.includes('util-linux');
const skip = !hasScript && 'there is no script of util-linux';

const MAIN = fileURLToPath(new URL('../../service/primary/main.js', import.meta.url));

async function startOnTerminal(env: Record<string, string> = {}) {
  const dataDir = env.DATA_DIR ?? temporaryDir();
  const { PATH = '', REDIS_SERVER = '' } = process.env;
  const command = `stty cols 80; exec ${process.execPath} ${MAIN}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: {
      PATH,
      REDIS_SERVER,
      SHELL: '/bin/sh',
      TERM: 'xterm',
      WORKERS: '1',
      SALE_ITEMS: '50',
      DATA_DIR: dataDir,
      PORT: String(await freePort()),
      ...env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text += more;
  });
  const exit = once(child, 'exit');
  atEnd(async () => {
    if (child.exitCode === null) signalAll(treeOf(child.pid!), 'SIGKILL');
    await exit;
  });
  const seen = (what: RegExp) => until(`${what}`, () => what.exec(text) ?? undefined);
  await seen(/Ctrl-C ends it/);
  const { pid, url } = readServiceFile(dataDir)!;
  const http = openHttp(url);
  atEnd(http.close);
  return {
    url,
    http,
    seen,
    text: () => text,
    async end() {
      http.close();
      process.kill(pid, 'SIGINT');
      assert.deepEqual(await exit, [0, null]);
    },
  };
}

test('a terminal shows the banner and one row for all that is bought, and no line per request', {
  skip,
}, async () => {
  const { url, http, seen, text, end } = await startOnTerminal();
  const banner = text().slice(text().indexOf('flashsale is open'));
  assert.match(banner, /50 of 50 items are left, 10 per user/);
  assert.ok(banner.includes(`${url}/docs`));
  for (const row of banner.split('\r\n')) assert.ok(row.length <= 80, row);
  const item = /ITEM=(\S+)/.exec(banner)![1]!;
  await purchase(http, await fillCart(http, 'ada', [item]));
  const { sale, items } = await addShelf(http, { total_items: 3 });
  for (const each of items) await purchase(http, await fillCart(http, 'bob', [each], sale));
  await seen(/sale sold out.*S-/);
  await seen(new RegExp(`\\[[\\d:]+\\] ${sale}: 3/3 sold  \\d+ requests\\r\\n`));
  assert.doesNotMatch(text(), /"handler":/);
  await end();
  await seen(/closed/);
});

test('after a sell-out and a restart the banner does not offer what is sold', { skip }, async () => {
  const dataDir = temporaryDir();
  const first = await startOnTerminal({ DATA_DIR: dataDir, SALE_ITEMS: '2' });
  for (const item of ['0000', '0001']) {
    const { body } = await first.http.get('/sales/active');
    await purchase(first.http, await fillCart(first.http, 'ada', [`${body.id.slice(2)}-${item}`]));
  }
  await first.end();
  const second = await startOnTerminal({ DATA_DIR: dataDir, SALE_ITEMS: '2' });
  assert.match(second.text(), /All 2 items are sold; the next sale opens at \d\d:00/);
  assert.doesNotMatch(second.text(), /ITEM=/);
  await second.end();
});

test('request lines are shown when they are asked for', { skip }, async () => {
  const { http, seen, end } = await startOnTerminal({ LOG_REQUESTS: 'info' });
  await http.get('/sales');
  await seen(/request\b.*"handler":"\/sales"/);
  await end();
});
