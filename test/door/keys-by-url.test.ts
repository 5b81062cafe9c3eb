import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { bearer, byKey, claimsOf, newSigner } from '../../campaigns/hardening/tokens.ts';
import { atEnd } from '../support/at-end.ts';
import { readMetrics } from '../support/metrics.ts';
import { until } from '../support/processes.ts';
import { freePort, runService, startService } from '../support/service.ts';
import { assertProblem } from '../support/shop.ts';

/** A key set behind a URL that is away at first, then answers, rotates, and misbehaves. */
const port = await freePort();
const [first, second] = [newSigner('RS256', 'first'), newSigner('RS256', 'second')];
const keySet = (...signers: (typeof first)[]) => JSON.stringify({ keys: signers.map(({ jwk }) => jwk) });
let respond: (res: ServerResponse) => void = (res) => res.end(keySet(first));
let asked = 0;
const provider = createServer((_, res) => {
  asked++;
  respond(res);
});
atEnd(() => {
  provider.closeAllConnections();
  provider.close();
});

const service = await startService({
  BUYER_JWKS: `http://127.0.0.1:${port}/keys`,
  BUYER_AUDIENCE: 'shop',
});
const { http } = service;
const ask = (signer: typeof first) =>
  http.get('/purchases/nothing', bearer(byKey(signer, claimsOf('ada', { aud: 'shop' }))));
const gauges = async () => {
  const { values } = readMetrics((await http.get('/metrics')).text);
  return [values.get('flashsale_buyer_keys'), values.get('flashsale_buyer_keys_read_timestamp_seconds')];
};

test('while no key is known, requests are unavailable, not unproven, and the service is up', async () => {
  await service.saw('the public keys of buyers cannot be read; the last ones stand');
  const reply = await ask(first);
  assertProblem(reply, 503, 'unavailable');
  assert.equal((await http.get('/readyz')).status, 200);
  assert.deepEqual(await gauges(), [0, undefined]);
});

test('a token of an unknown key has the set read at once, not a minute later', async () => {
  await once(provider.listen(port, '127.0.0.1'), 'listening');
  await until('the first key is known', async () => (await ask(first)).status === 404, 15_000);
  assert.equal((await gauges())[0], 1);
  respond = (res) => void res.end(keySet(first, second));
  await until('the second key is known', async () => (await ask(second)).status === 404, 15_000);
  assert.equal((await ask(first)).status, 404);
  assert.equal((await gauges())[0], 2);
});

const stranger = newSigner('RS256', 'stranger');
const BROKEN: Record<string, (res: ServerResponse) => void> = {
  'an error': (res) => void res.writeHead(500).end('{}'),
  'a redirect': (res) => void res.writeHead(302, { Location: `http://127.0.0.1:${port}/elsewhere` }).end(),
  'an endless answer': (res) => {
    const more = () => !res.destroyed && res.write(' '.repeat(16 << 10), () => setImmediate(more));
    more();
  },
  'no key set': (res) => void res.end('<html>'),
  'no keys': (res) => void res.end('{"keys":[]}'),
};
for (const [what, answer] of Object.entries(BROKEN))
  test(`${what} keeps the last keys, and forgers do not have the provider asked more often than every two seconds`, async () => {
    const before = asked;
    const [, readAt] = await gauges();
    respond = answer;
    await until(
      'the provider was asked',
      async () => {
        assert.equal((await ask(stranger)).status, 401);
        return asked > before;
      },
      15_000,
    );
    for (let i = 0; i < 50; i++) assertProblem(await ask(stranger), 401, 'buyer_unproven');
    assert.ok(asked - before <= 2, `asked ${asked - before} times`);
    assert.deepEqual([(await ask(first)).status, (await ask(second)).status], [404, 404]);
    assert.deepEqual(await gauges(), [2, readAt]);
  });

test('a file that is not there, and a URL without TLS, are told at the start', async () => {
  for (const [source, complaint] of [
    ['/nowhere/keys.json', /BUYER_JWKS: \/nowhere\/keys\.json is not usable: ENOENT/],
    ['http://id.example/keys', /BUYER_JWKS must be a file, or a URL that begins with https:/],
  ] as const) {
    const run = await runService({ BUYER_JWKS: source });
    assert.equal(await run.exit, 1);
    assert.match(run.complaints(), complaint);
  }
});
