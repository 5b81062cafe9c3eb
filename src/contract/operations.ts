import { TYPE as METRICS_TYPE } from '../routes/metrics.ts';
import { PLACES } from '../shard/place.ts';
import { answers, answersText, notModified, operation } from './operation.ts';
import { notReady, problemResponse } from './problems.ts';
import { ref } from './schema.ts';
import type { PathItem, Response } from './types.ts';

export const HTML_TYPE = 'text/html; charset=utf-8';
const up = { app: 'UP', database: 'UP', redis: 'UP' };
const checks = { redis: true, postgres: true, gate: true, serving: true };
const healthy = {
  services_status: up,
  uptime: '1h2m3s',
  memory: { alloc: 21_430_272, sys: 98_316_288 },
  workers: [{ slot: 0, pid: 4711, uptime: '1h2m1s', memory: 98_316_288 }],
};
const health = (description: string, example: unknown): Response =>
  answers(description, ref('schemas', 'Health'), example);
const plain = (
  id: string,
  summary: string,
  description: string,
  responses: Record<string, Response>,
): PathItem => ({
  get: operation({ id, tag: 'Operations', summary, description, answers: responses }),
});

/** What operators, balancers and tools ask. */
export const OPERATIONS: Readonly<Record<string, PathItem>> = {
  '/health': plain('readHealth', 'State of the parts', 'The stores, uptime, memory and workers.', {
    200: health('All parts are up.', healthy),
    503: health('A store is down.', { ...healthy, services_status: { ...up, redis: 'DOWN' } }),
  }),
  '/livez': plain('isLive', 'Liveness', 'The process answers. No dependency is asked.', {
    200: answers('It lives.', ref('schemas', 'Live'), { status: 'live' }),
  }),
  '/readyz': plain('isReady', 'Readiness', 'Whether this worker can sell now: for balancers.', {
    200: answers('It is ready.', ref('schemas', 'Ready'), { status: 'ready', checks }),
    503: notReady,
  }),
  '/metrics': plain('readMetrics', 'Metrics', 'Prometheus text, of all workers and the primary.', {
    200: answersText('The metrics.', METRICS_TYPE),
    503: problemResponse(['unavailable']),
  }),
  '/shards': plain(
    'readShards',
    'The ring',
    'Who owns which items, for balancers and clients that hash on `id`.',
    {
      200: answers('The ring.', ref('schemas', 'Shards'), {
        slots: [{ slot: 0, port: 9000 }],
        ring: { places: PLACES, rule: 'docs/shards.md', arcs: [[0, 0]] },
      }),
    },
  ),
  '/openapi.json': plain('readOpenApi', 'This contract', 'This document, OpenAPI 3.1.', {
    200: {
      ...answersText('The document.', 'application/json', ['ETag', 'Cache-Control']),
      content: { 'application/json': { schema: { type: 'object' } } },
    },
    304: notModified,
  }),
  '/docs': plain(
    'readDocs',
    'The page you read',
    'This document as a page, without any request to another host.',
    {
      200: answersText('The page.', HTML_TYPE, ['ETag', 'Cache-Control']),
      304: notModified,
    },
  ),
};
