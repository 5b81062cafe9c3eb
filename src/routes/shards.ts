import { answers, type Documented, operation } from '../contract/operation.ts';
import { count, listOf, named, objectOf } from '../contract/schema.ts';
import { text } from '../contract/schemas.ts';
import { json } from '../http/answer.ts';
import { PLACES } from '../shard/place.ts';
import { SLOTS_MAX } from '../shard/ring.ts';
import type { RouteDeps } from './deps.ts';

/** GET /shards: what a balancer or client needs to send a request straight to the owner of its item. */
export const shardsEndpoint = ({ config, shard }: Pick<RouteDeps, 'config' | 'shard'>): Documented => ({
  method: 'GET',
  path: '/shards',
  operation: READ_SHARDS,
  answer() {
    const { slots, arcs } = shard.ring;
    const portBase = config.workerPortBase;
    return json(200, {
      slots: slots.map((slot) => ({ slot, ...(portBase !== undefined && { port: portBase + slot }) })),
      ring: { places: PLACES, rule: 'docs/shards.md', arcs: arcs() },
    });
  },
});

const SHARDS_SCHEMA = named(
  'Shards',
  objectOf({
    slots: listOf({
      type: 'object',
      properties: {
        slot: count('The slot of a worker.', 0, { maximum: SLOTS_MAX - 1 }),
        port: count('Its own port; only with `WORKER_PORT_BASE`.', 1, { maximum: 65_535 }),
      },
      required: ['slot'],
    }),
    ring: objectOf({
      places: {
        type: 'integer',
        const: PLACES,
        description: 'Places on the ring. Each item id hashes onto one.',
      },
      rule: text('The page that describes the hash.'),
      arcs: listOf(
        { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 2, maxItems: 2 },
        { description: 'The owner of each arc: `[first place, slot]`, ascending.' },
      ),
    }),
  }),
);

const READ_SHARDS = operation({
  id: 'readShards',
  tag: 'Operations',
  summary: 'The ring',
  description: 'The owners of the items, for balancers and clients that hash on `id`.',
  answers: {
    200: answers('The ring.', SHARDS_SCHEMA, {
      slots: [{ slot: 0, port: 9000 }],
      ring: { places: PLACES, rule: 'docs/shards.md', arcs: [[0, 0]] },
    }),
  },
});
