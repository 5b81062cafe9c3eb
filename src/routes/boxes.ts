import { count, listOf, objectOf, textOf } from '../contract/schema.ts';
import { flag, text } from '../contract/schemas.ts';
import type { BoxStatus } from '../messages.ts';

/** All boxes, where there are several. */
export const boxesView = (boxes: readonly BoxStatus[]) =>
  boxes.length > 1 ? { boxes: boxes.map(boxView) } : {};

const boxView = ({ id, release, workers, leader, uptimeS, silentS }: BoxStatus) => ({
  ...{ id, release, workers, leader, uptime: formatUptime(uptimeS), silent_s: Math.round(silentS) },
});

/** Seconds as `1h2m3s`, without leading zero parts. */
export function formatUptime(seconds: number): string {
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}s`;
}

export const UPTIME = textOf(/^(\d+h)?(\d+m)?\d+s$/, 'How long the process has been running.', {
  examples: ['1h2m3s'],
});

export const BOXES = listOf(
  objectOf({
    id: textOf(/^[0-9a-f]{12}$/, 'Names one run of the service on a box; its log line `open` says it.', {
      examples: ['5e1f0c9a77d2'],
    }),
    release: text('What it runs.'),
    workers: count('Workers that serve.', 0),
    leader: flag('It has the duties that are done once for all boxes.'),
    uptime: UPTIME,
    silent_s: count('Whole seconds since it was last heard; a box that lives is heard each 2 s.'),
  }),
  {
    description:
      'All boxes that share the database, the one that answers first; absent while it knows of no other. A box that left is not listed, one that fell silent for ten minutes.',
  },
);
