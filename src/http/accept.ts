import { JSON_TYPE, SSE_TYPE } from './answer.ts';

/**
 * The type among those offered that the header Accept likes best (RFC 9110, 12.5.1): the first of equals, and of all when there is
 * no header, or one that names none of them.
 */
export function preferred<T extends string>(accept: string | undefined, offered: readonly [T, ...T[]]): T {
  const ranges = (accept ?? '').split(',').map((text) => {
    const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
    const q = parameters.find((each) => each.startsWith('q='));
    return { range, q: q === undefined ? 1 : Number(q.slice(2)) };
  });
  const liking = (type: T): number => {
    const [main] = type.split('/');
    const of = (range: string) => ranges.find((each) => each.range === range)?.q;
    return of(type) ?? of(`${main}/*`) ?? of('*/*') ?? 0;
  };
  return offered.reduce((best, type) => (liking(type) > liking(best) ? type : best), offered[0]);
}

/** Whether server-sent events are named: only such a client may get a stream, and only node:http streams. */
export const namesEvents = (accept = ''): boolean => /event-stream/i.test(accept);

/** Whether server-sent events are wanted rather than JSON. Who takes anything, or any text, wants no stream. */
export const wantsEvents = (accept: string | undefined): boolean =>
  namesEvents(accept) && preferred(accept, [JSON_TYPE, SSE_TYPE]) === SSE_TYPE;
