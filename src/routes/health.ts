import { memoryUsage } from 'node:process';
import { answers, type Documented, operation } from '../contract/operation.ts';
import { exampleOf, schemaWith } from '../contract/problem-schemas.ts';
import { problemResponse } from '../contract/problems.ts';
import { count, listOf, named, objectOf, textOf, withOptional } from '../contract/schema.ts';
import { flag } from '../contract/schemas.ts';
import type { Response, Schema } from '../contract/types.ts';
import { json } from '../http/answer.ts';
import { PROBLEM_TYPE, problem } from '../http/problem.ts';
import { type LiveSale, SALE_ID } from '../sale.ts';
import { SLOTS_MAX } from '../shard/ring.ts';
import { isSellable } from '../store/sales.ts';
import { BOXES, boxesView, formatUptime, UPTIME } from './boxes.ts';
import type { RouteDeps } from './deps.ts';

/** A healthy primary answers at once. */
const STATUS_MS = 1_000;

type HealthDeps = Pick<RouteDeps, 'redis' | 'liveSales' | 'isPostgresUp' | 'isDraining' | 'askPrimary'>;

/** GET /health, /livez and /readyz. */
export function healthEndpoints(deps: HealthDeps): Documented[] {
  const { redis, liveSales, isPostgresUp, isDraining, askPrimary } = deps;
  const isRedisUp = () => redis.isUp;
  /** The open sales that can sell, as far as this worker knows: one that cannot is 503 by itself. */
  const lookAtGates = async () => {
    const away: string[] = [];
    const look = ({ facts }: { facts: LiveSale }) =>
      isSellable(redis, facts).catch(() => {
        away.push(facts.id);
        return false;
      });
    const sellable = await Promise.all(liveSales.open().map(look));
    return { gate: sellable.length === 0 || sellable.some(Boolean), away };
  };

  return [
    {
      method: 'GET',
      path: '/health',
      operation: READ_HEALTH,
      isUnlimited: true,
      async answer() {
        const [database, redisUp] = [isPostgresUp(), isRedisUp()];
        const { heapUsed, rss } = memoryUsage();
        const [workers, boxes] = await Promise.all([
          askPrimary('cluster-status', STATUS_MS).catch(() => []),
          askPrimary('boxes', STATUS_MS).catch(() => []),
        ]);
        return json(database && redisUp ? 200 : 503, {
          services_status: { app: 'UP', database: upOrDown(database), redis: upOrDown(redisUp) },
          uptime: formatUptime(process.uptime()),
          memory: { alloc: heapUsed, sys: rss },
          workers: workers.map((worker) => ({
            slot: worker.slot,
            pid: worker.pid,
            uptime: formatUptime(worker.uptimeS),
            memory: worker.rssBytes,
          })),
          ...boxesView(boxes),
        });
      },
    },
    {
      method: 'GET',
      path: '/livez',
      operation: IS_LIVE,
      isUnlimited: true,
      answer: () => json(200, { status: 'live' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      operation: IS_READY,
      isUnlimited: true,
      async answer(asked) {
        const { gate, away } = await lookAtGates();
        const checks = { redis: isRedisUp(), postgres: isPostgresUp(), gate, serving: !isDraining() };
        // In a Cluster some sales may sell while others cannot.
        const more = redis.away.length > 0 ? { sales_away: away } : {};
        return Object.values(checks).every(Boolean)
          ? json(200, { status: 'ready', checks, ...more })
          : problem(asked, 'unavailable', { checks, ...more });
      },
    },
  ];
}

const upOrDown = (up: boolean) => (up ? 'UP' : 'DOWN');

const UP: Schema = { type: 'string', enum: ['UP', 'DOWN'] };
const HEALTH_SCHEMA = named(
  'Health',
  withOptional(
    objectOf({
      services_status: objectOf({ app: UP, database: UP, redis: UP }),
      uptime: UPTIME,
      memory: objectOf({
        alloc: count('Bytes of heap that the answering worker uses.'),
        sys: count('Resident memory of that worker, in bytes.'),
      }),
      workers: listOf(
        objectOf({
          slot: count('The slot of the worker.', 0, { maximum: SLOTS_MAX - 1 }),
          pid: count('Its process id.', 1),
          uptime: UPTIME,
          memory: count('Its resident memory, in bytes.'),
        }),
        { description: 'All workers of the box; empty while the primary does not answer.' },
      ),
    }),
    { boxes: BOXES },
  ),
);
const up = { app: 'UP', database: 'UP', redis: 'UP' };
const healthy = {
  services_status: up,
  uptime: '1h2m3s',
  memory: { alloc: 21_430_272, sys: 98_316_288 },
  workers: [{ slot: 0, pid: 4711, uptime: '1h2m1s', memory: 98_316_288 }],
};

const READ_HEALTH = operation({
  id: 'readHealth',
  tag: 'Operations',
  summary: 'Health',
  description: 'State of the stores, uptime, memory and workers.',
  answers: {
    200: answers('All parts are up.', HEALTH_SCHEMA, healthy),
    503: answers('A store is down.', HEALTH_SCHEMA, {
      ...healthy,
      services_status: { ...up, redis: 'DOWN' },
    }),
  },
});

const IS_LIVE = operation({
  id: 'isLive',
  tag: 'Operations',
  summary: 'Liveness',
  description: 'The process answers. Asks no store.',
  answers: {
    200: answers(
      'The process is alive.',
      named('Live', objectOf({ status: { type: 'string', const: 'live' } })),
      {
        status: 'live',
      },
    ),
  },
});

const CHECKS_SCHEMA = named(
  'Checks',
  objectOf({
    redis: flag('Redis is connected.'),
    postgres: flag('Postgres is connected.'),
    gate: flag('Of the sales that are open, at least one can sell.'),
    serving: flag('The worker is not draining.'),
  }),
);
const SALES_AWAY = listOf(textOf(SALE_ID), {
  description:
    'Open sales that cannot be sold while a master of the Redis Cluster is away; absent otherwise.',
});
const ready = { redis: true, postgres: true, gate: true, serving: true };
const notReady: Response = {
  ...problemResponse(['unavailable']),
  description: '`unavailable`: at least one of `checks` is false.',
  content: {
    [PROBLEM_TYPE]: {
      schema: named(
        'NotReady',
        withOptional(schemaWith('unavailable', 'checks', CHECKS_SCHEMA), { sales_away: SALES_AWAY }),
      ),
      examples: { not_ready: exampleOf('unavailable', { checks: { ...ready, redis: false } }) },
    },
  },
};

const IS_READY = operation({
  id: 'isReady',
  tag: 'Operations',
  summary: 'Readiness',
  description: 'Whether this worker can sell now, for load balancers.',
  answers: {
    200: answers(
      'The worker is ready.',
      named(
        'Ready',
        withOptional(objectOf({ status: { type: 'string', const: 'ready' }, checks: CHECKS_SCHEMA }), {
          sales_away: SALES_AWAY,
        }),
      ),
      { status: 'ready', checks: ready },
    ),
    503: notReady,
  },
});
