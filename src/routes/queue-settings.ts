/** The queue of a sale as operators set it, and as everybody reads it. */
import { createHash } from 'node:crypto';
import { count, named, objectOf, textOf, withOptional } from '../contract/schema.ts';
import { flag, time } from '../contract/schemas.ts';
import type { Schema } from '../contract/types.ts';
import { formatTime } from '../http/time.ts';
import { ADMIT_PER_SECOND_MAX, PASS_SECONDS, type QUEUE_FIELDS } from '../intake/queue.ts';
import type { Queue } from '../sale.ts';

/** The fields of a queue must be the ones that `readQueue` knows. */
export const QUEUE_SETTINGS: Record<(typeof QUEUE_FIELDS)[number], Schema> = {
  admit_per_second: {
    type: 'number',
    minimum: 0,
    maximum: ADMIT_PER_SECOND_MAX,
    description: 'Buyers who are admitted per second; 0: nobody is, until it is changed.',
  },
  opens_at: time('When buyers may begin to join, at the latest when the sale starts. Default: at once.'),
  draw: {
    type: 'boolean',
    default: true,
    description:
      'Whether those who join before the start are drawn. `false`: all stand in the order in which they came.',
  },
  pass_seconds: count(
    'Seconds within which an admitted buyer may check out; then his place is gone. Default: until the sale ends.',
    PASS_SECONDS.min,
    { maximum: PASS_SECONDS.max },
  ),
};

/** The queue that a new sale is given. */
export const NEW_QUEUE_SCHEMA: Schema = {
  ...named('NewQueue', {
    type: 'object',
    properties: QUEUE_SETTINGS,
    additionalProperties: false,
    required: ['admit_per_second'],
  }),
};

/** What everybody may know of a queue: its seed once the draw was made, before that only the hash. */
export const queueViewOf = ({ seed, drawn, admitPerSecond, draws, opensAtMs, passSeconds }: Queue) => ({
  admit_per_second: admitPerSecond,
  draw: draws,
  ...(opensAtMs !== undefined && { opens_at: formatTime(opensAtMs) }),
  ...(passSeconds !== undefined && { pass_seconds: passSeconds }),
  seed_sha256: createHash('sha256').update(seed, 'hex').digest('hex'),
  ...(drawn !== undefined && { drawn, seed }),
});

const HEX_32 = /^[0-9a-f]{64}$/;

export const QUEUE_SCHEMA = named(
  'Queue',
  withOptional(
    objectOf<{ admit_per_second: number; draw: boolean; seed_sha256: string }>({
      admit_per_second: { type: 'number', minimum: 0, description: 'Buyers who are admitted per second.' },
      draw: flag('Whether those who join before the start are drawn.'),
      seed_sha256: textOf(
        HEX_32,
        'SHA-256 of the 32 bytes of the seed, which is told when the draw was made.',
      ),
    }),
    {
      opens_at: time('When buyers may begin to join.'),
      pass_seconds: count('Seconds for which an admitted place is good.', 1),
      drawn: count('How many were drawn.'),
      seed: textOf(HEX_32, 'The seed of the draw: with it anybody can check his place.'),
    },
  ),
);
