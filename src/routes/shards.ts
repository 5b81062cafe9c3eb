import { type Answer, json } from '../http/answer.ts';
import { PLACES } from '../shard/place.ts';
import type { Ring } from '../shard/ring.ts';

export interface ShardsDeps {
  readonly ring: () => Ring;
  /** The port of slot 0's own listener, each next slot one higher; undefined while workers have no own ports. */
  readonly portBase: number | undefined;
}

/** GET /shards: what a balancer or client needs to send a request straight to the owner of its item. */
export function shards({ ring, portBase }: ShardsDeps) {
  return (): Answer => {
    const { slots, arcs } = ring();
    return json(200, {
      slots: slots.map((slot) => ({ slot, ...(portBase !== undefined && { port: portBase + slot }) })),
      ring: { places: PLACES, rule: 'docs/shards.md', arcs: arcs() },
    });
  };
}
