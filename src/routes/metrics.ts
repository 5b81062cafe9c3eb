import type { Answer, RequestContext } from './answer.ts';
import { problem } from './problem.ts';

/** The version that Prometheus expects in the type of its text format. */
export const TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** GET /metrics: the primary's metrics; 503 when it does not answer. */
export function metrics({ read }: { readonly read: () => Promise<string> }) {
  return async (context: RequestContext): Promise<Answer> => {
    try {
      return { status: 200, type: TYPE, body: await read() };
    } catch {
      return problem(context, 'unavailable');
    }
  };
}
