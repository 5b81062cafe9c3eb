import { Refusal, type SaleWithLimit, type Shop, type Turn } from '../client/index.ts';
import { el, setText } from './dom.ts';
import { clockText, numberText, spanText } from './format.ts';
import { forget, keep, kept } from './keep.ts';
import { say } from './toast.ts';
import { sentenceFor } from './words.ts';

/** The queue of a sale as the buyer sees it: his place, and his turn. */
export interface QueueView {
  readonly element: HTMLElement;
  /** Whether the buyer may check out; true where the sale has no queue. */
  readonly isAdmitted: boolean;
  readonly ticket: string | undefined;
  close(): void;
}

export function createQueueView(shop: Shop, sale: SaleWithLimit, onChange: () => void): QueueView {
  const name = `queue.${sale.id}`;
  const leave = new AbortController();
  const words = el('p', { class: 'queue-words', role: 'status' });
  const button = el(
    'button',
    { type: 'button', class: 'primary', onclick: () => void join() },
    'Take your place',
  );
  const element = el('section', { class: 'queue', 'aria-label': 'The queue' }, words, button);
  element.hidden = sale.queue === undefined;
  let turn: Turn | undefined;

  const update = (next: Turn | undefined) => {
    if (next?.admitted && turn !== undefined && !turn.admitted) say('It is your turn!');
    turn = next;
    setText(words, wordsOf(sale, turn));
    button.hidden = turn !== undefined && turn.state !== 'over';
    setText(button, turn?.state === 'over' ? 'Take another place' : 'Take your place');
    element.dataset.state = turn?.state ?? 'none';
    onChange();
  };
  const wait = async (ticket: string) => {
    for (;;) {
      const last = await shop.waitForTurn(ticket, { signal: leave.signal, onTurn: update });
      update(last);
      // The place of an admitted buyer is good until it is over, if ever.
      if (last.state === 'over') return forget(name);
      if (last.admitted) return;
    }
  };
  const join = async () => {
    try {
      const joined = await shop.joinQueue(sale.id, { signal: leave.signal });
      keep(name, joined.ticket);
      update(joined);
      await wait(joined.ticket);
    } catch (error) {
      if (!leave.signal.aborted) say(error instanceof Refusal ? error.message : sentenceFor(error));
    }
  };
  const again = async (ticket: string) => {
    try {
      await wait(ticket);
    } catch (error) {
      // The ticket is of another time.
      if (error instanceof Refusal && ['not_found', 'sale_not_active'].includes(error.code)) {
        forget(name);
        update(undefined);
      }
    }
  };

  if (sale.queue !== undefined) {
    update(undefined);
    const ticket = kept<string>(name);
    if (ticket !== undefined) void again(ticket);
  }
  return {
    element,
    get isAdmitted() {
      return sale.queue === undefined || turn?.admitted === true;
    },
    get ticket() {
      return turn?.ticket;
    },
    close: () => leave.abort(),
  };
}

function wordsOf({ queue, started_at }: SaleWithLimit, turn: Turn | undefined): string {
  if (turn === undefined)
    return queue?.opens_at !== undefined && Date.parse(queue.opens_at) > Date.now()
      ? `There is a queue. It opens at ${clockText(Date.parse(queue.opens_at))}.`
      : 'There is a queue: take your place, and come in when it is your turn.';
  if (turn.admitted) return 'It is your turn. Take what you like.';
  if (turn.state === 'drawing')
    return `Your place is drawn when the sale opens, at ${clockText(Date.parse(started_at))}.`;
  if (turn.state === 'over') return 'Your turn is over.';
  const before = turn.before === null ? '' : `${numberText(turn.before)} before you`;
  const wait = turn.wait_seconds === null ? '' : `about ${spanText(turn.wait_seconds * 1_000)} to go`;
  return [`Place ${numberText(turn.place ?? 0)}`, before, wait].filter((part) => part !== '').join(' · ');
}
