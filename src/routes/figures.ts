import { answersText, type Documented, operation } from '../contract/operation.ts';
import { type Sample, samplesIn } from '../exposition.ts';
import { SSE_TYPE } from '../http/answer.ts';
import { createPlaces } from '../http/places.ts';
import { problem } from '../http/problem.ts';
import type { BoxStatus } from '../messages.ts';
import { boxesView } from './boxes.ts';
import type { RouteDeps } from './deps.ts';

/** Consoles per worker. All of them hear the same message, made once. */
const CONSOLES_MAX = 50;
/** How often figures are told, in ms: rates of a second. */
const TELL_MS = 1_000;
const ANSWER_MS = 2_000;
const HEADERS = { 'Cache-Control': 'no-store' };

/** What a console shows; other metrics stay where they are. */
const SHOWN =
  /^(checkout_attempts_total|checkout_success_total|checkout_failure_total|purchase_attempts_total|purchase_success_total|purchase_failure_total|sale_items_sold_total|flashsale_(http_connections|shed_requests_total|sale_items|sale_items_sold|sale_items_held|gate_open|dependency_up|outbox_oldest_age_seconds|spool_bytes|audit_differences_total|audit_last_run_timestamp_seconds|contradictions_total|rebuilds_total|webhooks_waiting|webhooks_dead|workers|worker_deaths_total|leader|queue_waiting|queue_admitted))$/;
const BUCKETS = 'http_request_duration_seconds_bucket';

type FiguresDeps = Pick<RouteDeps, 'config' | 'askPrimary' | 'isDraining'>;

/** GET /admin/live: the figures of this box for consoles, as server-sent events. */
export const figuresEndpoint = ({ config, askPrimary, isDraining }: FiguresDeps): Documented => {
  const consoles = createPlaces(CONSOLES_MAX);
  let shared: { readonly text: Promise<string>; readonly atMs: number } | undefined;
  /** The message of this second, for whoever asks first. */
  const message = (): Promise<string> => {
    const nowMs = performance.now();
    if (shared === undefined || nowMs - shared.atMs >= TELL_MS - SLACK_MS) {
      const asking = Promise.all([
        askPrimary('figures', ANSWER_MS),
        askPrimary('boxes', ANSWER_MS).catch(() => []),
      ]).then(
        ([{ value, atMs }, boxes]) => messageOf(value, atMs, boxes),
        () => ':\n\n',
      );
      shared = { text: asking, atMs: nowMs };
    }
    return shared.text;
  };
  const parts = async function* () {
    yield 'retry: 1000\n\n';
    while (!isDraining()) {
      yield await message();
      await new Promise((resolve) => setTimeout(resolve, TELL_MS));
    }
  };
  return {
    method: 'GET',
    path: '/admin/live',
    operation: FOLLOW_FIGURES,
    answer(asked) {
      if (config.metrics === 'off') return problem(asked, 'not_found');
      const leave = consoles.take();
      if (leave === undefined) return problem(asked, 'overloaded');
      return { status: 200, type: SSE_TYPE, body: '', headers: HEADERS, stream: { parts, onEnd: leave } };
    },
  };
};

/** Timers that fire together do not fire at once. */
const SLACK_MS = 200;

function messageOf(text: string, at: number, boxes: readonly BoxStatus[]): string {
  const samples: Sample[] = [];
  /** Of checkouts and purchases, whatever their status: le → requests. */
  const durations: Record<string, Record<string, number>> = {};
  for (const sample of samplesIn(text)) {
    if (SHOWN.test(sample.name)) samples.push(sample);
    const { handler = '', le = '' } = sample.labels;
    if (sample.name !== BUCKETS || (handler !== '/checkout' && handler !== '/purchase')) continue;
    durations[handler] ??= {};
    const counts = durations[handler];
    counts[le] = (counts[le] ?? 0) + sample.value;
  }
  return `data: ${JSON.stringify({ at, samples, durations, ...boxesView(boxes) })}\n\n`;
}

const FOLLOW_FIGURES = operation({
  id: 'followFigures',
  tag: 'Admin',
  summary: 'The figures of a console',
  description:
    'Server-sent events, one a second: `at`, those metrics of this box that a console shows (`samples`), and for `/checkout` and `/purchase` how many requests took no longer than so many seconds (`durations`); `boxes` as `/health` has them. Counters are totals. 404 with `METRICS=off`.',
  isAdmin: true,
  answers: { 200: answersText('The stream.', SSE_TYPE, ['Cache-Control']) },
  problems: ['unauthorized', 'overloaded'],
});
