import type { Config, Place } from '../config.ts';
import { createLiveSales, type LiveSales, type WorkerSale } from '../selling/live-sales.ts';
import { startQueueLooks } from '../selling/queue-looks.ts';
import { startSoldFeed } from '../selling/sold-feed.ts';
import { createTicker, type Ticker } from '../selling/ticker.ts';
import { createTurns, type Turns } from '../selling/turns.ts';
import { createPeers, type Peers } from '../shard/peers.ts';
import { createShard, type Shard } from '../shard/shard.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { Stores } from './stores.ts';

/** What a worker remembers: the sales that it sells from, and what it knows to be sold. */
export interface Memory {
  readonly peers: Peers;
  readonly shard: Shard;
  readonly liveSales: LiveSales;
  readonly ticker: Ticker;
  readonly turns: Turns;
  close(): Promise<void>;
}

export function openMemory(
  config: Config,
  { slot, peersDir }: Place,
  { redis, committers, readers, onError }: Stores,
  metrics: WorkerMetrics | undefined,
  isLeaving: () => boolean,
): Memory {
  const peers = createPeers({
    dir: peersDir,
    slot,
    deadlineMs: config.shardQuestionMs,
    answer: (saleId, epoch, since, itemId) => shard.ownsSold(saleId, epoch, since, itemId),
  });
  const ask = config.shardQuestionMs > 0 ? peers.ask : () => undefined;
  const shard = createShard({ slot, slots: [slot], ask });
  const onBatch = metrics?.onBatch;
  const hourlySales = config.hourlySales === 'on';
  const liveSales = createLiveSales({
    ...{ hourlySales, redis, postgres: committers, readers, shard, onError, onBatch },
  });
  const ticker = createTicker({
    redis,
    factsOf: (saleId) => liveSales.find(saleId)?.facts,
    heldOf: async (saleId) => liveSales.find(saleId)?.held() ?? 0,
    isLeaving,
  });
  const idsOf = (sales: readonly WorkerSale[]) => sales.map((sale) => sale.facts.id);
  const saleIds = () => idsOf(liveSales.all());
  const openIds = () => idsOf(liveSales.open());
  const feed =
    config.shard === 'on'
      ? startSoldFeed({ redis, shard, saleIds, openIds, onError, onChange: ticker.heard })
      : undefined;
  const looks = startQueueLooks(liveSales.all);
  return {
    peers,
    shard,
    liveSales,
    ticker,
    turns: createTurns(),
    async close() {
      feed?.stop();
      looks.stop();
      await peers.close();
    },
  };
}
