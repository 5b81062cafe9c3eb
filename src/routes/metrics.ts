import { answersText, type Documented, operation } from '../contract/operation.ts';
import { problemResponse } from '../contract/problems.ts';
import { problem } from '../http/problem.ts';
import type { RouteDeps } from './deps.ts';

/** The version that Prometheus expects in the type of its text format. */
const TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** The primary waits for workers and stores for half a second. */
const ANSWER_MS = 2_000;

/** GET /metrics: the metrics of the whole box; 503 when the primary does not answer, 404 with `METRICS=off`. */
export const metricsEndpoint = ({
  config,
  askPrimary,
}: Pick<RouteDeps, 'config' | 'askPrimary'>): Documented => ({
  method: 'GET',
  path: '/metrics',
  isUnlimited: true,
  operation: operation({
    id: 'readMetrics',
    tag: 'Operations',
    summary: 'Metrics',
    description: 'Metrics of all workers and the primary, in Prometheus’ text format.',
    answers: { 200: answersText('The metrics.', TYPE), 503: problemResponse(['unavailable']) },
  }),
  async answer(asked) {
    if (config.metrics === 'off') return problem(asked, 'not_found');
    const body = await askPrimary('metrics', ANSWER_MS).catch(() => undefined);
    return body === undefined ? problem(asked, 'unavailable') : { status: 200, type: TYPE, body };
  },
});
