import type { Config } from '../../config.ts';
import { createDelivery } from '../../feed/delivery.ts';
import { createWebhooks, SIDE_BY_SIDE } from '../../feed/webhooks.ts';
import type { Log } from '../../log.ts';
import { webhookBacklog } from '../../store/feed/webhooks.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Work } from '../every.ts';
import type { Metrics } from '../metrics/own.ts';

/** How long one run sends before it looks at the backlog for the metrics. */
const TURN_MS = 5_000;

export interface WebhookDutyOptions {
  readonly config: Config;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'webhooks'>;
  readonly isLeader: () => boolean;
}

/** Sends events to WEBHOOK_URL; undefined without one. Only the leader sends. */
export function createWebhookDuty(options: WebhookDutyOptions): { work: Work; close(): void } | undefined {
  const { config, postgres, log, metrics, isLeader } = options;
  if (config.webhookUrl === undefined) return undefined;
  const delivery = createDelivery({
    url: config.webhookUrl,
    secret: config.webhookSecret as string,
    allowPrivate: config.webhookPrivate === 'on',
    connectionsMax: SIDE_BY_SIDE,
  });
  const send = createWebhooks({
    postgres,
    delivery,
    onSent(outcome, event, failure) {
      metrics.webhooks.sent[outcome].n++;
      if (outcome === 'failed') log.debug({ event, failure }, 'a webhook did not arrive');
      if (outcome === 'dead') log.warn({ event }, 'a webhook could not be delivered');
    },
  });
  const work: Work = async (signal) => {
    const endMs = performance.now() + TURN_MS;
    const mayGoOn = () => isLeader() && !signal.aborted && performance.now() < endMs;
    let isBusy = true;
    while (isBusy && mayGoOn()) isBusy = await send(mayGoOn);
    metrics.webhooks.backlog = await webhookBacklog(postgres);
  };
  return { work, close: delivery.close };
}
