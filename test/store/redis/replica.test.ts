import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareRedis, DATA_NODE } from '../../../campaigns/faults/bare-redis.ts';
import { withRedis } from '../../../campaigns/faults/dumps.ts';
import { Unavailable } from '../../../src/store/errors.ts';
import { openRedis } from '../../../src/store/redis.ts';
import { atEnd } from '../../support/at-end.ts';
import { until } from '../../support/processes.ts';
import { temporaryDir } from '../../support/stores.ts';

const server = await bareRedis(temporaryDir(), 'demoted', DATA_NODE);
await server.start();
atEnd(() => server.kill());
const operate = (...words: string[]) => withRedis(server.url, (client) => client.sendCommand(words));
const connections = async () => String(await operate('CLIENT', 'LIST', 'TYPE', 'normal')).match(/id=\d+/g)!;

test('a master that becomes a replica is away, and said to be; its name is asked again until it is a master', async () => {
  const errors: string[] = [];
  const redis = await openRedis({
    url: server.url,
    patient: false,
    onError: ({ message }) => void errors.push(message),
  });
  atEnd(redis.close);
  const [first] = await connections();
  await operate('REPLICAOF', '127.0.0.1', '1');
  await assert.rejects(redis.command('SET', 'key', '1'), Unavailable);
  assert.equal(redis.isUp, false);
  await until('it is told', () => errors.includes('this Redis is a replica'));
  await until('it connects anew', async () => !(await connections()).includes(first as string));
  assert.equal(redis.isUp, false);
  await operate('REPLICAOF', 'NO', 'ONE');
  await until('it writes again', () => redis.command('SET', 'key', '1').catch(() => undefined));
  assert.equal(redis.isUp, true);
});
