import { type FollowOptions, follow } from './follow.ts';
import type { SendDeps } from './send.ts';

/** What changed in a sale, and its counts. */
export interface LiveMessage {
  readonly items_sold: number;
  readonly items_held: number;
  readonly items_left: number;
  readonly state: 'scheduled' | 'active' | 'paused' | 'ended' | 'cancelled';
  /** What is left of the items that changed. */
  readonly items: Readonly<Record<string, number>>;
}

/** What happens in a sale, at most once a second, until it has ended; the first message has the counts. */
export async function* live(
  deps: SendDeps,
  saleId: string,
  options: FollowOptions = {},
): AsyncGenerator<LiveMessage> {
  for await (const message of follow<LiveMessage>(deps, `sales/${saleId}/live`, options)) {
    yield message;
    if (message.state === 'ended' || message.state === 'cancelled') return;
  }
}
