import type { RedisPlace } from '../../redis-url.ts';
import { Unavailable } from '../errors.ts';
import { saleChannelOf } from '../keys.ts';
import type { OpeningRedis, RedisOptions } from '../redis.ts';
import type { Connection } from './connection.ts';
import { createMasters } from './masters.ts';
import { createSaleChannels } from './sale-channels.ts';
import { placeOf, readRedirect, slotOf } from './slots.ts';

/**
 * A Redis Cluster. Every key of a sale is in one slot, and each script and command goes to the master of that slot, with that
 * server's own breaker. A slot that moves is followed; while it is on its way, its sales are 503.
 */
export function openCluster(
  options: RedisOptions,
  place: Extract<RedisPlace, { kind: 'cluster' }>,
): OpeningRedis {
  const masters = createMasters(options, place);
  const channels: { close(): void }[] = [];

  /** Does `work` at the master of a slot; once more where that slot has moved, for there nothing was done. */
  const at = async (key: string, work: (master: Connection, asking: boolean) => Promise<unknown>) => {
    const slot = slotOf(key);
    const [address, master] = masters.ownerOf(slot);
    try {
      return await work(master, false);
    } catch (error) {
      const { host } = placeOf(address);
      const redirect = readRedirect(error, host);
      if (redirect === undefined) throw error;
      if (!redirect.asking) masters.moved(slot, redirect.address);
      return await work(masters.at(redirect.address), redirect.asking).catch((again) => {
        throw readRedirect(again, host) ? new Unavailable('a slot is moving') : again;
      });
    }
  };

  return {
    opened: masters.opened,
    get isUp() {
      return masters.all().some(({ isUp }) => isUp);
    },
    get away() {
      return masters.away();
    },
    run: (script, keys, args) =>
      at(keys[0] as string, (master, asking) => master.run(script, keys, args, asking)),
    command: (...words) => at(words[1] as string, (master, asking) => master.send(words, asking)),
    commandAt: (key, ...words) => at(key, (master) => master.send(words, false)),
    commandAll: (...words) =>
      Promise.all(
        masters
          .all()
          .filter(({ isUp }) => isUp)
          .map((master) => master.send(words, false)),
      ),
    soldChannel: saleChannelOf,
    async subscribe(_channel, onMessage, onSubscribed, saleIds = () => []) {
      channels.push(
        createSaleChannels({ masters, onError: options.onError, onMessage, onSubscribed, saleIds }),
      );
    },
    async close() {
      for (const each of channels) each.close();
      masters.close();
    },
  };
}
