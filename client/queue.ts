import type { Turn } from './contract.ts';
import { type FollowOptions, follow } from './follow.ts';
import type { CallOptions, Send, SendDeps } from './send.ts';

/** A place in the queue of a sale; whoever asks again has the same one. */
export async function joinQueue(
  send: Send,
  sale: string | undefined,
  user: string | undefined,
  options: CallOptions = {},
): Promise<Turn> {
  const query = { user_id: user, sale_id: sale };
  return (await send<Turn>({ ...options, method: 'POST', path: 'queue', query })).body;
}

export interface WaitOptions extends FollowOptions {
  /** Called whenever something about the turn changes. */
  readonly onTurn?: ((turn: Turn) => void) | undefined;
}

/** Waits until it is the buyer's turn (`admitted`), or the turn is over. */
export async function waitForTurn(
  deps: SendDeps,
  send: Send,
  ticket: string,
  { onTurn, ...options }: WaitOptions = {},
): Promise<Turn> {
  const path = `queue/${ticket}`;
  for await (const turn of follow<Turn>(deps, path, options)) {
    onTurn?.(turn);
    if (turn.admitted || turn.state === 'over') return turn;
  }
  // The stream had nothing more to tell.
  return (await send<Turn>({ signal: options.signal, path })).body;
}
