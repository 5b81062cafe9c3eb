import type { Answer, RequestContext } from '../http/answer.ts';
import { problem } from '../http/problem.ts';

/** The version that Prometheus expects in the type of its text format. */
export const TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** GET /metrics: the metrics of the whole box; 503 when the primary does not answer, 404 when nothing is measured. */
export function metrics({ read }: { readonly read: (() => Promise<string>) | undefined }) {
  return async (context: RequestContext): Promise<Answer> => {
    if (read === undefined) return problem(context, 'not_found');
    try {
      return { status: 200, type: TYPE, body: await read() };
    } catch {
      return problem(context, 'unavailable');
    }
  };
}
