/** The drop of docs/a-drop.md, from the upload to the export; most of its time it waits for a payment to run out. Starts first. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SECRET } from '../campaigns/faults/receiver.ts';

import { auditSale } from '../src/store/audit/audit.ts';

import { freePort, startService } from './support/service.ts';
import { connectStores } from './support/stores.ts';

const SCRIPT = fileURLToPath(new URL('../../examples/a-drop.mjs', import.meta.url));

test('a drop from the upload to the export: webhooks, export, Postgres and the audit tell the same, to the cent', async () => {
  const port = String(await freePort());
  const token = 'a-token-of-the-shop';
  const hooks = { WEBHOOK_URL: `http://127.0.0.1:${port}/`, WEBHOOK_SECRET: SECRET, WEBHOOK_PRIVATE: 'on' };
  const service = await startService({ WORKERS: '2', HOURLY_SALES: 'off', ADMIN_TOKEN: token, ...hooks });
  const env = {
    ...process.env,
    ...{
      SHOP_URL: `http://127.0.0.1:${service.port}/`,
      ADMIN_TOKEN: token,
      WEBHOOK_SECRET: SECRET,
      HOOK_PORT: port,
    },
  };
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT], { env, timeout: 150_000 });
  const sale = /^S-[0-9a-f]{10}/.exec(stdout)?.[0] as string;
  const [, units, euros] =
    /^(\d+) units are sold for (\S+) EUR; export and webhooks agree\.$/m.exec(stdout) ?? [];
  const { redis, postgres, sql } = await connectStores(service.redisUrl, service.databaseUrl);
  const [books] = await sql(
    `select count(*)::int as units, sum(price)::int as cents
     from purchases p join items i on i.sale_id = p.sale_id and i.id = p.item_id where p.sale_id = $1 and not withdrawn`,
    sale,
  );
  assert.deepEqual(books, { units: Number(units), cents: Math.round(Number(euros) * 100) }, stdout);
  assert.ok(Number(units) > 60, stdout);
  assert.deepEqual(await auditSale(redis, postgres, sale), []);
});

test('docs/a-drop.md shows what the script does', () => {
  const squeeze = (text: string) => text.replace(/\s+/g, ' ');
  const script = squeeze(readFileSync(SCRIPT, 'utf8'));
  const page = readFileSync(new URL('../../docs/a-drop.md', import.meta.url), 'utf8');
  const shown = [...page.matchAll(/```js\n(.*?)```/gs)].flatMap(([, code = '']) =>
    code.trimEnd().split('\n'),
  );
  assert.ok(shown.length > 8);
  assert.deepEqual(
    shown.filter((line) => !script.includes(squeeze(line))),
    [],
  );
});
