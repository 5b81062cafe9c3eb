import type { QueueSettings } from '../sale.ts';
import type { Faults } from './faults.ts';
import {
  type Fields,
  isObject,
  kindOf,
  type ReadField,
  readTime,
  refuseUnknown,
  wholeNumber,
} from './fields.ts';

/** More places in a second than any box sells; a rate without bound would be no queue. */
export const ADMIT_PER_SECOND_MAX = 100_000;
/** Less is too short to check out, more than a day longer than a queue matters. */
export const PASS_SECONDS = { min: 10, max: 86_400 } as const;
export const QUEUE_FIELDS = ['admit_per_second', 'opens_at', 'draw', 'pass_seconds'] as const;

const OF_QUEUE = 'a field of a queue, which has';
const readPass = wholeNumber(PASS_SECONDS.min, PASS_SECONDS.max);

const readRate: ReadField<number> = (value, path, faults) => {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value <= ADMIT_PER_SECOND_MAX) return value;
  const is = typeof value === 'number' ? '' : `, not ${kindOf(value)}`;
  faults.add(path, `admit_per_second must be a number from 0 to ${ADMIT_PER_SECOND_MAX}${is}`);
  return undefined;
};

/** Checks what is said of a queue; what is left out is left out. Undefined when nothing is said, or something is wrong. */
export function readQueue(value: unknown, faults: Faults): Partial<QueueSettings> | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value)) {
    faults.add('queue', `queue must be an object, not ${kindOf(value)}`);
    return undefined;
  }
  return readFields(value, faults);
}

function readFields(fields: Fields, faults: Faults): Partial<QueueSettings> {
  refuseUnknown(fields, QUEUE_FIELDS, OF_QUEUE, faults, 'queue.');
  const admitPerSecond = readRate(fields.admit_per_second, 'queue.admit_per_second', faults);
  const opensAtMs = readTime(fields.opens_at, 'queue.opens_at', faults);
  const passSeconds = readPass(fields.pass_seconds, 'queue.pass_seconds', faults);
  const { draw } = fields;
  if (draw !== undefined && typeof draw !== 'boolean') faults.add('queue.draw', 'draw must be true or false');
  return {
    ...(admitPerSecond !== undefined && { admitPerSecond }),
    ...(opensAtMs !== undefined && { opensAtMs }),
    ...(passSeconds !== undefined && { passSeconds }),
    ...(typeof draw === 'boolean' && { draws: draw }),
  };
}

/** The queue of a new sale. */
export function readNewQueue(value: unknown, startsAtMs: number, faults: Faults): QueueSettings | undefined {
  const before = faults.count;
  const queue = readQueue(value, faults);
  if (queue === undefined || faults.count > before) return undefined;
  const fault = faultOf(queue, startsAtMs);
  if (fault) faults.add(...fault);
  const { admitPerSecond, draws = true, ...rest } = queue;
  return admitPerSecond === undefined ? undefined : { admitPerSecond, draws, ...rest };
}

/** What is wrong with a queue as a whole: the field and a sentence. */
export function faultOf(
  { admitPerSecond, opensAtMs }: Partial<QueueSettings>,
  startsAtMs: number,
): [path: string, sentence: string] | undefined {
  if (admitPerSecond === undefined)
    return ['queue.admit_per_second', 'admit_per_second is required: 0 admits nobody yet'];
  if (opensAtMs !== undefined && opensAtMs > startsAtMs)
    return ['queue.opens_at', 'opens_at must not be later than the start of the sale'];
  return undefined;
}
