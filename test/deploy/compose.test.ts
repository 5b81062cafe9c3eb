/** `npm run check -- compose`: compose.yaml and compose.scale.yaml against the specification's own schema, and against what we promise of them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { readConfig } from '../../src/config.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface ServiceSpec {
  readonly secrets?: readonly string[];
  readonly profiles?: readonly string[];
  readonly image?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, { ipv4_address: string }>>;
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly env_file?: readonly { path: string; required: boolean }[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: object;
  readonly restart?: string;
  readonly logging?: object;
  readonly stop_grace_period?: string;
}
interface ComposeFile {
  readonly services: Readonly<Record<string, ServiceSpec>>;
  readonly volumes: object;
  readonly secrets: Readonly<Record<string, { environment: string }>>;
  readonly networks: Readonly<Record<string, { internal?: boolean }>>;
}

const text = read('compose.yaml');
const load = (yaml: string) => parse(yaml, { merge: true }) as ComposeFile;
const file = load(text);
const services = Object.entries(file.services);
const scale = load(read('compose.scale.yaml'));
const networksOf = ({ networks = [] }: ServiceSpec): readonly string[] =>
  Array.isArray(networks) ? networks : Object.keys(networks);

// What compose asks of the `x-` keys and of defaults in the schema is more than ajv's strict mode knows.
const isValid = new Ajv2020({ strict: false, allErrors: true }).compile(
  JSON.parse(read('checks/deploy/compose-spec/compose-spec.json')),
);

test('both are compose files, by the schema of the specification', () => {
  for (const each of [file, scale]) assert.ok(isValid(each), JSON.stringify(isValid.errors, null, 2));
});

test('the schema refuses what is none', () => {
  const wrongs: [right: string, wrong: string][] = [
    ['stop_grace_period: 35s', 'stop_grace_periods: 35s'],
    ['read_only: true', 'read_only: [true]'],
    ['condition: service_healthy', 'condition: service_is_healthy'],
    ['nofile: 65536', 'nofile: [65536]'],
  ];
  for (const [right, wrong] of wrongs) {
    assert.ok(text.includes(right), right);
    assert.equal(isValid(load(text.replace(right, wrong))), false, wrong);
  }
});

test('whatever they name is there', () => {
  for (const { services, volumes, networks } of [file, scale])
    for (const [name, service] of Object.entries(services)) {
      for (const volume of service.volumes ?? []) {
        const source = volume.split(':')[0]!;
        if (source.startsWith('./')) assert.ok(existsSync(join(root, source)), `${name}: ${source}`);
        else assert.ok(source in volumes, `${name}: volume ${source}`);
      }
      for (const network of networksOf(service)) assert.ok(network in networks, `${name}: ${network}`);
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        assert.ok(other in services, `${name}: ${other}`);
        if (condition === 'service_healthy' && services[other]!.image !== 'flashsale')
          assert.ok(services[other]!.healthcheck, `${other} has no health check`);
      }
    }
});

test('nobody needs a pager to start it: what has secrets of its own is started by its profile, which names them', () => {
  const example = [...read('.env.example').matchAll(/^#(\w+)=$/gm)].map((match) => match[1]);
  assert.deepEqual(
    Object.values(file.secrets).map(({ environment }) => environment),
    example,
  );
  for (const [name, { secrets = [], profiles = [] }] of services) {
    assert.deepEqual(profiles, secrets.length > 0 ? ['paging'] : [], name);
    for (const secret of secrets) assert.ok(secret in file.secrets, `${name}: ${secret}`);
  }
  const paths = [...read('monitoring/alertmanager/alertmanager.yml').matchAll(/\/run\/secrets\/(\w+)/g)];
  assert.deepEqual(
    paths.map((match) => match[1]),
    file.services.alertmanager!.secrets,
  );
  const asked = /names: \[(\w+)\]/.exec(read('monitoring/prometheus/prometheus.yml'));
  assert.equal(asked?.[1], 'alertmanager');
});

test('what .env does not ask for comes from service.env, which may be missing, and which git and images never see', () => {
  const { env_file: files, environment = {} } = file.services.flashsale!;
  assert.deepEqual(files, [{ path: 'service.env', required: false }]);
  assert.match(read('.gitignore'), /^service\.env$/m);
  assert.doesNotMatch(read('.dockerignore'), /^!.*env/m);
  // What is set here could not be set there.
  const set = Object.keys(environment);
  for (const name of [
    'BUYER_SECRET',
    'BUYER_JWKS',
    'RATE_USER',
    'TRUSTED_PROXIES',
    'CORS_ORIGINS',
    'WEBHOOK_SECRET',
    'EVENTS',
  ])
    assert.ok(!set.includes(name), name);
});

test('the service waits for both stores to be healthy', () => {
  const healthy = { condition: 'service_healthy' };
  assert.deepEqual(file.services.flashsale!.depends_on, { postgres: healthy, redis: healthy });
});

test('the stores are reached by the service alone, and the monitoring from this box alone', () => {
  const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
  assert.deepEqual(published, [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compose fills it in
    'flashsale ${LISTEN:-127.0.0.1:8080}:8080',
    'prometheus 127.0.0.1:9090:9090',
    'alertmanager 127.0.0.1:9093:9093',
    'grafana 127.0.0.1:3000:3000',
  ]);
  assert.equal(file.networks.stores!.internal, true);
  const inStores = services
    .filter(([, service]) => networksOf(service).includes('stores'))
    .map(([name]) => name);
  assert.deepEqual(inStores, ['flashsale', 'redis', 'postgres']);
});

test('every service is restarted, watched, stopped with time, and its log is bounded', () => {
  for (const [name, service] of services) {
    assert.equal(service.restart, 'unless-stopped', name);
    assert.ok(service.logging, name);
    assert.match(service.stop_grace_period ?? '', /^\d+s$/, name);
    // The image of our own brings its check with it.
    assert.ok(service.healthcheck ?? name === 'flashsale', name);
    assert.match(service.image ?? ':0', /:v?\d+(\.\d+)*$/, name);
  }
});

test('it waits for the service longer than the service waits for itself', () => {
  const deadline = /DEADLINE_MS = (\d+)_000/.exec(read('src/primary/shutdown.ts'))![1];
  assert.ok(Number.parseInt(file.services.flashsale!.stop_grace_period!, 10) > Number(deadline));
});

test('secrets come from the environment, and .env.example names them all, empty', () => {
  const required = [...text.matchAll(/\$\{(\w+):\?/g)].map((match) => match[1]);
  const example = read('.env.example');
  const empty = [...example.matchAll(/^(\w+)=$/gm)].map((match) => match[1]);
  assert.deepEqual([...new Set(required)].sort(), empty.sort());
  const defaults = [...text.matchAll(/\$\{(\w+:-[^}]+)\}/g)].map((match) => match[1]!.replace(':-', '='));
  const optional = [...example.matchAll(/^#(\w+=.+)$/gm)].map((match) => match[1]);
  assert.deepEqual([...new Set(defaults)].sort(), optional.sort());
  for (const [name, { environment = {} }] of services)
    for (const [key, value] of Object.entries(environment))
      if (/PASSWORD|TOKEN|SECRET|_URL/.test(key) && !value.startsWith('redis://redis:'))
        assert.match(value, /\$\{\w+:\?/, `${name}: ${key}`);
  assert.match(read('.gitignore'), /^\.env$/m);
});

/** The addresses that a text names, each once. */
const addressesIn = (text: string) => new Set(text.match(/172\.30\.17\.(?!0\b)\d+/g));
const addressOf = (name: string) =>
  (scale.services[name]!.networks as Readonly<Record<string, { ipv4_address: string }>>).stage!.ipv4_address;
const namesLike = (pattern: RegExp) => Object.keys(scale.services).filter((name) => pattern.test(name));

test('three boxes, a Cluster of six, a primary and a standby: each is named where it is asked, by its address', () => {
  const [boxes, nodes, postgres] = [/^box-/, /^redis-\d/, /^postgres-/].map(namesLike) as [
    string[],
    string[],
    string[],
  ];
  assert.deepEqual([boxes.length, nodes.length, postgres.length], [3, 6, 2]);
  const balancer = read('deploy/nginx.scale.conf');
  assert.deepEqual(addressesIn(balancer), new Set(boxes.map(addressOf)));
  const { WORKERS, WORKER_PORT_BASE, REDIS_URL, DATABASE_URL } = scale.services['box-1']!.environment!;
  for (const box of boxes) {
    const ports = [8080, ...Array.from({ length: Number(WORKERS) }, (_, n) => Number(WORKER_PORT_BASE) + n)];
    for (const port of ports)
      assert.ok(balancer.includes(`server ${addressOf(box)}:${port} `), `${box}: ${port}`);
  }
  const create = scale.services['redis-cluster']!.command!.join(' ');
  assert.deepEqual(addressesIn(create), new Set(nodes.map(addressOf)));
  assert.deepEqual(addressesIn(DATABASE_URL!), new Set(postgres.map(addressOf)));
  for (const address of addressesIn(REDIS_URL!)) assert.ok(nodes.map(addressOf).includes(address));
  // The service itself reads them so.
  readConfig({ REDIS_URL: REDIS_URL!, DATABASE_URL: DATABASE_URL!.replace(/\$\{[^}]*\}/, 'secret') });
});

test('the large set-up is restarted, watched and bounded as the small one, and publishes its balancer alone', () => {
  for (const [name, service] of Object.entries(scale.services)) {
    if (name === 'redis-cluster') continue;
    assert.equal(service.restart, 'unless-stopped', name);
    assert.ok(service.logging && service.stop_grace_period, name);
    assert.ok(service.healthcheck ?? service.image === 'flashsale', name);
    assert.deepEqual(service.ports, name === 'balancer' ? file.services.flashsale!.ports : undefined, name);
  }
});

test('every node of the Cluster, and each Postgres, keeps what the small set-up asks of its stores', () => {
  const words = (command: readonly string[]) => command.join(' ');
  for (const name of namesLike(/^redis-\d/))
    for (const setting of file.services.redis!.command!.slice(1))
      assert.ok(scale.services[name]!.command!.includes(setting), `${name}: ${setting}`);
  for (const setting of file.services.postgres!.command!.slice(1))
    assert.ok(scale.services['postgres-1']!.command!.includes(setting), setting);
  // The standby's name is what its primary waits for.
  const [, standby] = /synchronous_standby_names=(\w+)/.exec(words(scale.services['postgres-1']!.command!))!;
  assert.ok(words(scale.services['postgres-2']!.command!).includes(`application_name=${standby}`));
});
