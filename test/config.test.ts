import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { maskSecrets, readConfig, SetupError } from '../src/config.ts';
import { readDatabaseUrl } from '../src/database-url.ts';

test('an admin token that no header can carry as a bearer token is refused', () => {
  for (const token of ['two words', 'p@ss', 'geheim!', '=', 'ä'])
    assert.throws(() => readConfig({ ADMIN_TOKEN: token }), /ADMIN_TOKEN must be of/);
  assert.equal(readConfig({ ADMIN_TOKEN: 'aZ0._~+/-==' }).adminToken, 'aZ0._~+/-==');
});

test('secrets of buyers are long enough, and masked', () => {
  const [one, two] = ['x'.repeat(32), 'y'.repeat(40)];
  assert.deepEqual(readConfig({ BUYER_SECRET: `${one} , ${two}` }).buyerSecrets, [one, two]);
  for (const secret of ['short', `${one},`, `${one},short`, Array(5).fill(one).join(',')])
    assert.throws(() => readConfig({ BUYER_SECRET: secret }), /BUYER_SECRET must be 1 to 4 secrets/);
  const config = readConfig({ BUYER_SECRET: one, BUYER_JWKS: 'https://me:hush@id.example/keys' });
  const shown = JSON.stringify(maskSecrets(config));
  assert.ok(!shown.includes(one) && !shown.includes('hush'), shown);
});

test('keys of buyers come from a file, or by https; what they must say needs them', () => {
  assert.equal(readConfig({ BUYER_JWKS: 'keys.json' }).buyerJwks, resolve('keys.json'));
  for (const url of ['https://id.example/keys', 'http://localhost:1/keys', 'http://[::1]:1/'])
    assert.equal(readConfig({ BUYER_JWKS: url }).buyerJwks, url);
  for (const url of ['http://id.example/keys', 'ftp://a', 'file:///keys', 'https://'])
    assert.throws(() => readConfig({ BUYER_JWKS: url }), /BUYER_JWKS must be/, url);
  for (const name of ['BUYER_ISSUER', 'BUYER_AUDIENCE'])
    assert.throws(() => readConfig({ [name]: 'shop' }), /need BUYER_SECRET or BUYER_JWKS/);
});

test('rates are two numbers, and networks whole', () => {
  assert.deepEqual(readConfig({ RATE_USER: ' 0.5 , 20' }).rateUser, { perSecond: 0.5, burst: 20 });
  for (const rate of ['5', '5,', ',5', '0,5', '5,0', '5,1.5', '-1,5', '5,5,5', '1e3,5', '5;5', 'a,b'])
    assert.throws(() => readConfig({ RATE_ADDRESS: rate }), /RATE_ADDRESS must be/, rate);
  assert.equal(readConfig({ TRUSTED_PROXIES: '10.0.0.0/8, ::1' }).trustedProxies.length, 2);
  for (const list of ['10.0.0.1/8', '10.0.0.0/8,', 'localhost'])
    assert.throws(() => readConfig({ RATE_EXEMPT: list }), /RATE_EXEMPT must be/, list);
});

test('with nothing set there are defaults for everything', () => {
  const { host, port, workers, saleItems, userLimit, dataDir, production, ...rest } = readConfig({});
  assert.deepEqual([host, port, production], ['127.0.0.1', 8080, false]);
  assert.deepEqual([saleItems, userLimit], [10_000, 10]);
  assert.equal(workers, Math.min(availableParallelism(), 64));
  assert.equal(dataDir, resolve('data'));
  assert.deepEqual(
    [rest.redisUrl, rest.databaseUrl, rest.adminToken, rest.redisServer],
    Array(4).fill(undefined),
  );
  assert.equal(rest.logLevel, 'info');
});

test('what is set is taken, without the spaces around it', () => {
  const config = readConfig({
    PORT: ' 9000 ',
    HOST: '::1',
    WORKERS: '3',
    REDIS_URL: 'rediss://user:pass@redis.example:6380/2',
    DATABASE_URL: 'postgresql://user:pass@db.example/shop',
    DATA_DIR: '/tmp/somewhere',
    REDIS_SERVER: '/opt/valkey-server',
    ADMIN_TOKEN: 'token',
    LOG_LEVEL: 'debug',
    SALE_ITEMS: '50',
    USER_LIMIT: '1',
  });
  assert.deepEqual([config.port, config.host, config.workers], [9_000, '::1', 3]);
  assert.equal(config.redisUrl, 'rediss://user:pass@redis.example:6380/2');
  assert.equal(config.databaseUrl, 'postgresql://user:pass@db.example/shop');
  assert.deepEqual([config.dataDir, config.redisServer], ['/tmp/somewhere', '/opt/valkey-server']);
  assert.deepEqual([config.adminToken, config.logLevel], ['token', 'debug']);
  assert.deepEqual([config.saleItems, config.userLimit], [50, 1]);
});

test('on a terminal only failures have a request line, unless lines are asked for', () => {
  assert.equal(readConfig({}, true).logRequests, 'failures');
  assert.equal(readConfig({}, false).logRequests, 'info');
  for (const level of ['info', 'debug', 'failures'])
    for (const isTerminal of [true, false])
      assert.equal(readConfig({ LOG_REQUESTS: level }, isTerminal).logRequests, level);
});

test('an empty variable counts as not set', () => {
  const config = readConfig({ PORT: '', HOST: ' ', ADMIN_TOKEN: '', REDIS_URL: '', SALE_ITEMS: '' });
  assert.deepEqual([config.port, config.host, config.adminToken], [8080, '127.0.0.1', undefined]);
  assert.deepEqual([config.redisUrl, config.saleItems], [undefined, 10_000]);
});

test('in production it listens on every address, unless told otherwise', () => {
  assert.equal(readConfig({ NODE_ENV: 'production' }).host, '0.0.0.0');
  assert.equal(readConfig({ NODE_ENV: 'production', HOST: '10.0.0.1' }).host, '10.0.0.1');
  assert.equal(readConfig({ NODE_ENV: 'production' }).production, true);
});

test('a list of Sentinels, or of servers of a Cluster, is taken as it is, and every secret in it is masked', () => {
  const lists = [
    'redis+sentinel://one:26379,two/mymaster',
    'rediss+sentinel://hid:hidden%2F@10.0.0.1:1,[::1]:2,three.example/my%20master',
    'redis+sentinel://one/m?username=u&password=hidden&sentinel_username=s&sentinel_password=hidden=',
    'redis+cluster://one:7000,two',
    'rediss+cluster://hid:hidden@one:7000,[::1]?',
    'redis+cluster://one?username=u&password=hidden',
  ];
  for (const url of lists) {
    const config = readConfig({ REDIS_URL: url });
    assert.equal(config.redisUrl, url);
    assert.doesNotMatch(JSON.stringify(maskSecrets(config)), /hid/);
  }
});

const BAD: Record<string, readonly string[]> = {
  PORT: ['-1', '65536', 'http', '80.5', '0x1F90!', 'Infinity'],
  WORKERS: ['0', '65', 'all'],
  SALE_ITEMS: ['0', '1000001', '1e9'],
  USER_LIMIT: ['0', '101', 'ten'],
  HOURLY_SALES: ['yes', 'ON', '0'],
  LOG_LEVEL: ['verbose', 'INFO'],
  REDIS_URL: [
    ...['localhost:6379', 'http://localhost', 'redis', 'redis+sentinel:/one/m', 'redis+other://one/m'],
    ...['redis+sentinel://one', 'redis+sentinel://one/', 'redis+sentinel:///m', 'redis+sentinel://one,/m'],
    ...['redis+sentinel://one:0/m', 'redis+sentinel://one:65536/m', 'redis+sentinel://one:x/m'],
    ...['redis+cluster://', 'redis+cluster://one/0', 'redis+cluster://one:x', 'redis+cluster://one,,two'],
    ...['redis+cluster://one?sentinel_password=x', 'redis+cluster:one:1', 'redis+sentinel://one/m?x'],
    ...['redis+sentinel://a b/m', 'redis+sentinel://one/m/0', 'redis+sentinel://one/m?user=u'],
    ...['redis+sentinel://u@one/m?username=v', 'redis+sentinel://u:%zz@one/m', 'redis+sentinel://one/%zz'],
  ],
  DATABASE_URL: ['mysql://localhost/x', 'localhost', 'redis://localhost'],
};
const BAD_LISTS = [
  ...['postgres://u@one,/x', 'postgres://u@one,two:x/x', 'postgres://u@one,t wo/x', 'mysql://one,two/x'],
  ...['postgres://u@one,two/x?target_session_attrs=any', `postgres://u@${'h,'.repeat(8)}h/x`],
];
test('several hosts of Postgres are taken, and a list that is none is refused', () => {
  const lists = [
    'postgres://u:p@one,two/x?target_session_attrs=read-write',
    'postgresql://one:5432,[::1]:5433,three/x?sslmode=verify-full',
  ];
  for (const list of lists) assert.equal(readConfig({ DATABASE_URL: list }).databaseUrl, list);
  assert.deepEqual(readDatabaseUrl(lists[0] as string), {
    urls: ['postgres://u:p@one/x', 'postgres://u:p@two/x'],
  });
  assert.deepEqual(readDatabaseUrl(lists[1] as string), {
    urls: ['one:5432', '[::1]:5433', 'three'].map((host) => `postgresql://${host}/x?sslmode=verify-full`),
  });
  for (const list of BAD_LISTS)
    assert.throws(() => readConfig({ DATABASE_URL: list }), /DATABASE_URL must/, list);
});

for (const [name, values] of Object.entries(BAD)) {
  test(`a bad ${name} is refused by its name`, () => {
    for (const value of values) {
      const isRefusal = (error: Error) =>
        error instanceof SetupError && error.message.includes(`${name} must be`);
      assert.throws(() => readConfig({ [name]: value }), isRefusal, value);
    }
  });
}

test('all errors are told at once, in one sentence, without what may be secret', () => {
  const env = { PORT: 'x', WORKERS: '0', DATABASE_URL: 'mysql://root:hidden@db/x', LOG_LEVEL: 'loud' };
  assert.throws(
    () => readConfig(env),
    ({ message }: Error) => {
      for (const name of Object.keys(env)) assert.match(message, new RegExp(`\\b${name} must be`));
      assert.doesNotMatch(message, /hidden|\n/);
      return message.endsWith('.');
    },
  );
});

test('the configuration cannot be changed', () => {
  const config = readConfig({}) as { port: number };
  assert.throws(() => {
    config.port = 1;
  }, TypeError);
});

test('its secrets are masked for the log', () => {
  const masked = maskSecrets(
    readConfig({
      ADMIN_TOKEN: 'hidden1',
      REDIS_URL: 'redis://:hidden2@localhost:6379',
      DATABASE_URL: 'postgres://user:hid%2Fden3@hidden4@localhost/shop?password=hidden5&ssl=1',
    }),
  );
  assert.doesNotMatch(JSON.stringify(masked), /hid/);
  assert.equal(masked.redisUrl, 'redis://***@localhost:6379');
  assert.equal(masked.databaseUrl, 'postgres://***@localhost/shop?password=***&ssl=1');
  assert.equal(masked.port, 8080);
});
