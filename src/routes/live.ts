import { headerRefs } from '../contract/headers.ts';
import { answersText, type Documented, operation } from '../contract/operation.ts';
import { type Answer, SSE_TYPE } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { createPlaces } from '../http/places.ts';
import { problem } from '../http/problem.ts';
import { isOver } from '../sale.ts';
import { findSale } from '../store/sale-list.ts';
import type { RouteDeps } from './deps.ts';
import { SALE_PATH } from './sales.ts';

/** A quarter of a worker's connections: queues may take half, and the rest is for those who buy. */
const LISTENERS_MAX = 5_000;

const HEADERS = { 'Cache-Control': 'no-store' };

/** GET /sales/{id}/live: what happens in a sale, as server-sent events. */
export const liveEndpoint = ({
  postgres,
  liveSales,
  ticker,
}: Pick<RouteDeps, 'postgres' | 'liveSales' | 'ticker'>): Documented => {
  const listeners = createPlaces(LISTENERS_MAX);
  const answerWithout = async (asked: Asked, id: string): Promise<Answer> => {
    const sale = await findSale(postgres, id);
    if (sale === undefined) return problem(asked, 'sale_not_found');
    return isOver(sale, Date.now()) ? OVER : problem(asked, 'unavailable');
  };
  return {
    method: 'GET',
    path: '/sales/:id/live',
    operation: LISTEN,
    answer(asked) {
      const id = asked.params.id as string;
      const sale = liveSales.find(id)?.facts;
      if (sale === undefined) return answerWithout(asked, id);
      if (isOver(sale, Date.now())) return OVER;
      const leave = listeners.take();
      if (leave === undefined) return problem(asked, 'overloaded');
      const parts = () => ticker.follow(sale);
      return { status: 200, type: SSE_TYPE, body: '', headers: HEADERS, stream: { parts, onEnd: leave } };
    },
  };
};

/** A browser's EventSource connects again after any other end of its stream. */
const OVER: Answer = { status: 204, type: '', body: '', headers: HEADERS };

const LISTEN = operation({
  id: 'listenToSale',
  tag: 'Sales',
  summary: 'What happens in a sale',
  description:
    'Server-sent events, one a second at most: `items_sold`, `items_held`, `items_left` and `state` of the sale, and in `items` what is left of the items that changed, 500 at most; what more changed follows. The first message has the counts. Comments keep the connection open. The stream ends when the sale does, with a last message; connect again after any other end. What it says is a hint: a checkout and a purchase decide.',
  parameters: [SALE_PATH],
  answers: {
    200: answersText(
      'The stream: each `data` is JSON, such as `{"items_sold":7,"items_held":0,"items_left":3,"state":"active","items":{"lamp-1":0}}`.',
      SSE_TYPE,
      ['Cache-Control'],
    ),
    204: { description: 'The sale is over.', headers: headerRefs(['Cache-Control']) },
  },
  problems: ['sale_not_found', 'overloaded', 'unavailable'],
});
