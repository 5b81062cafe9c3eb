import { TrieRouter } from 'hono/router/trie-router';
import { NO_PARAMS, type Reading } from './asked.ts';
import type { Cors } from './cors.ts';
import { problem } from './problem.ts';
import { type Endpoint, OTHER, type PlainMethod, type Route } from './route.ts';

/** What answers a path with one method, or with every method without an endpoint. */
export interface Entry {
  readonly method: Endpoint['method'] | 'ALL';
  readonly route: Route;
}

type Found = Pick<Reading, 'route' | 'params'>;

/** The endpoints, and the answers to requests without one. */
export interface Routing {
  /** In the order in which they are to be tried. */
  readonly entries: readonly Entry[];
  /** What Hono would find for a path without percent-encoding: its own router, filled from the same list. */
  find(method: PlainMethod, path: string): Found;
}

export const NOT_FOUND: Route = { path: OTHER, answer: (asked) => problem(asked, 'not_found') };

/** @param cors answers preflights; absent: OPTIONS is not allowed anywhere */
export function createRouting(endpoints: readonly Endpoint[], cors?: Cors): Routing {
  const paths = [...new Set(endpoints.map(({ path }) => path))];
  const entries = paths.flatMap((path): Entry[] => {
    const own = endpoints.filter((endpoint) => endpoint.path === path);
    const allow = own.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    const notAllowed: Route = {
      path,
      answer: (asked) =>
        cors?.preflight(asked, allow) ?? problem(asked, 'method_not_allowed', undefined, { Allow: allow }),
    };
    return [
      ...own.map((route) => ({ method: route.method, route })),
      { method: 'ALL' as const, route: notAllowed },
    ];
  });
  const router = new TrieRouter<Route>();
  for (const { method, route } of entries) router.add(method, route.path, route);
  const search = (method: string, path: string): Found => {
    const [[found]] = router.match(method, path) as [[Route, Reading['params']][]];
    return found ? { route: found[0], params: found[1] } : { route: NOT_FOUND, params: NO_PARAMS };
  };
  // Paths without parameters need no search: a checkout and a purchase among them.
  const fixed = {
    GET: new Map<string, Found>(),
    POST: new Map<string, Found>(),
    OPTIONS: new Map<string, Found>(),
  };
  for (const path of paths.filter((each) => !each.includes(':')))
    for (const method of ['GET', 'POST', 'OPTIONS'] as const) fixed[method].set(path, search(method, path));
  return { entries, find: (method, path) => fixed[method].get(path) ?? search(method, path) };
}
