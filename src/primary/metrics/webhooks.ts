import type { MetricJson } from '../../messages.ts';
import { type Cell, createCounter, gauge } from '../../metrics/series.ts';
import type { Backlog } from '../../store/feed/webhooks.ts';

/** What the webhooks have sent, and how far they are behind. */
export interface WebhookCounts {
  readonly sent: Readonly<Record<'delivered' | 'failed' | 'dead', Cell>>;
  /** As the leader last saw it; undefined where nothing is sent. */
  backlog: Backlog | undefined;
  read(isLeader: boolean): MetricJson[];
}

export function createWebhookCounts(): WebhookCounts {
  const sent = createCounter('flashsale_webhooks_total', 'Webhooks sent, by outcome; dead: given up');
  const cellOf = (outcome: string) => sent.cell({ outcome });
  return {
    sent: { delivered: cellOf('delivered'), failed: cellOf('failed'), dead: cellOf('dead') },
    backlog: undefined,
    read(isLeader) {
      const backlog = isLeader ? this.backlog : undefined;
      const of = (name: string, help: string, value: number | undefined) =>
        gauge(name, help, value === undefined ? [] : [[value]]);
      return [
        sent.json(),
        of(
          'flashsale_webhook_backlog_age_seconds',
          'Age of the oldest event that has not arrived',
          backlog?.ageS,
        ),
        of('flashsale_webhooks_waiting', 'Events that wait for another try', backlog?.waiting),
        of('flashsale_webhooks_dead', 'Events that could not be delivered', backlog?.dead),
      ];
    },
  };
}
