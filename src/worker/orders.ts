import type { WorkerDoor } from './door.ts';
import type { Memory } from './memory.ts';
import type { Order, PrimaryLink } from './primary-link.ts';
import type { Reporting } from './reporting.ts';
import type { Serving } from './serving.ts';

/**
 * The primary holds the listening socket, which closes once every worker has left it. A client that is asked to close
 * before that would reconnect at once, wait in the kernel's queue, and be reset.
 */
const UNLISTENED_MS = 250;

/** What the primary has told this worker to be. */
export interface WorkerState {
  /** It takes no new connections, and is not ready any more. */
  draining: boolean;
  /** Clients are asked to close their connections. */
  leaving: boolean;
  /** The attempt log has no room: checkouts are refused. */
  spoolFull: boolean;
}

export interface OrdersDeps {
  readonly state: WorkerState;
  readonly primary: PrimaryLink;
  readonly memory: Pick<Memory, 'liveSales' | 'shard'>;
  readonly door: Pick<WorkerDoor, 'setKeys' | 'debit'> | undefined;
  readonly serving: Pick<Serving, 'balance'>;
  readonly reporting: Pick<Reporting, 'answer'>;
  /** Closes everything and ends the process. */
  readonly leave: () => Promise<void>;
}

/** Carries out the primary's orders. */
export interface Orders {
  obey(message: Order): void;
  /** Serves what is under way, and leaves. */
  drain(): void;
  /** Resolves when the primary has told the sales. */
  readonly introduced: Promise<void>;
}

export function createOrders(deps: OrdersDeps): Orders {
  const { state, primary, memory, door, serving, reporting, leave } = deps;
  let introduce = () => {};
  const introduced = new Promise<void>((resolve) => {
    introduce = resolve;
  });

  const drain = () => {
    if (state.draining) return;
    state.draining = true;
    setTimeout(() => {
      state.leaving = true;
    }, UNLISTENED_MS);
    void leave();
  };

  return {
    introduced,
    drain,
    obey(message) {
      switch (message.type) {
        case 'sales':
          memory.liveSales.update(message.sales);
          introduce();
          primary.send({ type: 'sales-seen', version: message.version });
          break;
        case 'slots':
          memory.shard.setSlots(message.slots);
          break;
        case 'spool-full':
          state.spoolFull = message.full;
          break;
        case 'buyer-keys':
          door?.setKeys(message.keys);
          break;
        case 'rates':
          door?.debit(message.used);
          break;
        case 'fair-share':
          serving.balance.setFairShare(message.connections);
          break;
        case 'metrics':
          reporting.answer(message.id);
          break;
        case 'drain':
          drain();
          break;
      }
    },
  };
}
