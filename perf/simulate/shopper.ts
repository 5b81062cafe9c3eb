import type { Clock, Thread } from './clock.ts';
import type { Costs } from './costs.ts';
import type { Request, Sale, Worker } from './service.ts';

/** What clients saw. */
export interface Tally {
  requests: number;
  refused: number;
  shed: number;
  /** Of the last answer. */
  endUs: number;
  readonly latenciesUs: number[];
  /** Answers of each bin of time. */
  readonly curve: Readonly<Record<'bought' | 'refused' | 'shed', number[]>>;
}

export const BIN_US = 50_000;

export interface ShopperOptions {
  readonly clock: Clock;
  readonly costs: Costs;
  readonly tally: Tally;
  readonly netUs: number;
  /** Where clients run on the machine that they measure. */
  readonly generator: Thread | undefined;
}

/** A client that was told 503 comes again after Retry-After. */
const RETRY_US = 1e6;

/** `done` is called when the buyer has an item, or has tried so many. */
export type Shop = (
  sale: Sale,
  item: () => number,
  tries: number,
  worker: Worker,
  done: () => void,
  waitUs?: number,
) => void;

/** What a good client does, as `perf/session.ts`. */
export function createShopper({ clock, costs, tally, netUs, generator }: ShopperOptions): Shop {
  const count = (what: 'checkout' | 'purchase' | 'refused' | 'shed') => {
    if (what === 'checkout') return;
    const counts = tally.curve[what === 'purchase' ? 'bought' : what];
    const bin = Math.floor(clock.nowUs / BIN_US);
    while (counts.length <= bin) counts.push(0);
    counts[bin] = (counts[bin] as number) + 1;
  };
  const send = (
    worker: Worker,
    kind: 'checkout' | 'purchase',
    request: Omit<Request, 'answer'>,
    heard: (ok: boolean) => void,
    waitUs = 0,
  ) => {
    // Here the answer has arrived when it is given: the way back is a part of the next way there.
    const sentUs = clock.nowUs + waitUs;
    tally.requests++;
    const answered = (outcome: 'ok' | 'refused' | 'shed') => {
      tally.latenciesUs.push(clock.nowUs - sentUs + netUs);
      tally.endUs = clock.nowUs + netUs;
      count(outcome === 'shed' ? 'shed' : outcome === 'refused' ? 'refused' : kind);
      if (outcome === 'refused') tally.refused++;
      if (outcome !== 'shed') return heard(outcome === 'ok');
      tally.shed++;
      send(worker, kind, request, heard, netUs + RETRY_US);
    };
    const answer: Request['answer'] = (outcome) =>
      generator ? generator.do(costs.generatorUs, () => answered(outcome)) : answered(outcome);
    clock.after(waitUs + netUs, () => worker[kind]({ sale: request.sale, item: request.item, answer }));
  };
  /** Checks an item out and buys it; tries another one when it is gone. */
  const shop: Shop = (
    sale: Sale,
    item: () => number,
    tries: number,
    worker: Worker,
    done: () => void,
    waitUs = 0,
  ): void => {
    const wanted = { sale, item: item() };
    const again = () => (tries > 1 ? shop(sale, item, tries - 1, worker, done, netUs) : done());
    send(
      worker,
      'checkout',
      wanted,
      (isIn) => {
        if (!isIn) return again();
        send(worker, 'purchase', wanted, (isBought) => (isBought ? done() : again()), netUs);
      },
      waitUs,
    );
  };

  return shop;
}
