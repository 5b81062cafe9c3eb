import { answersText, type Documented, notModified, operation } from '../contract/operation.ts';
import { IF_NONE_MATCH } from '../contract/parameters.ts';
import type { Answer } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import type { Assets } from '../http/assets.ts';
import { tagOf, unlessKnown } from '../http/etag.ts';
import { problem } from '../http/problem.ts';
import { appHeaders } from '../http/security-headers.ts';
import { createSessions, isOwnPage, type Sessions } from '../http/session.ts';
import type { RouteDeps } from './deps.ts';
import { HTML_TYPE } from './storefront.ts';

/** Wrong tokens of an address per minute and worker; past them it waits. */
const TRIES_MAX = 5;
const TRIES_MS = 60_000;
/** Addresses that are remembered; when there are more, all are forgotten. */
const ADDRESSES_MAX = 10_000;

/** GET /console, the page of operators, and how they log in; absent where the admin API is. */
export function consoleEndpoints({ config }: Pick<RouteDeps, 'config'>, assets: Assets): Documented[] {
  if (config.production && config.adminToken === undefined) return [];
  // Where the admin API is open there is nothing to log out of.
  const session = config.adminToken === undefined ? 'none' : 'kept';
  const text = assets.page('console').replace('{session}', session);
  const tag = tagOf(text);
  const page: Documented = {
    method: 'GET',
    path: '/console',
    operation: READ_CONSOLE,
    answer: ({ headers }) =>
      unlessKnown(headers.ifNoneMatch, tag, HTML_TYPE, () => text, {
        'Cache-Control': 'no-cache',
        ...appHeaders(),
      }),
  };
  const sessions = config.adminToken === undefined ? undefined : createSessions(config.adminToken);
  return [page, ...sessionEndpoints(sessions)];
}

function sessionEndpoints(sessions: Sessions | undefined): Documented[] {
  const tries = createTries();
  /** Where the admin API is open there is nothing to log in to. */
  const done = (cookie?: string): Answer => ({
    ...{ status: 204, type: '', body: '' },
    headers: { 'Cache-Control': 'no-store', ...(cookie !== undefined && { 'Set-Cookie': cookie }) },
  });
  const isSecure = ({ headers: { origin } }: Asked) => origin?.startsWith('https:') === true;
  const path = '/console/session';
  return [
    {
      method: 'POST',
      path,
      operation: LOG_IN,
      async answer(asked) {
        const { origin, host } = asked.headers;
        if (!isOwnPage(origin, host)) return problem(asked, 'unauthorized');
        if (sessions === undefined) return done();
        // Read first: of many tries at once, each finds what those before it have come to.
        const token = await tokenIn(asked);
        const address = asked.peer.remoteAddress ?? '';
        const waitS = tries.waitS(address);
        if (waitS > 0) return problem(asked, 'rate_limited', undefined, limitHeaders(waitS));
        if (sessions.isToken(token)) return done(sessions.open(isSecure(asked)));
        tries.failed(address);
        return problem(asked, 'unauthorized');
      },
    },
    {
      method: 'DELETE',
      path,
      operation: LOG_OUT,
      answer: (asked) => {
        const { origin, host } = asked.headers;
        if (!isOwnPage(origin, host)) return problem(asked, 'unauthorized');
        return done(sessions?.end(isSecure(asked)));
      },
    },
  ];
}

const limitHeaders = (waitS: number) => ({
  'Retry-After': String(waitS),
  RateLimit: `"login";r=0;t=${waitS}`,
  'RateLimit-Policy': `"login";q=${TRIES_MAX};w=${TRIES_MS / 1_000}`,
});

/** Whatever is no token is none. */
async function tokenIn(asked: Asked): Promise<string> {
  try {
    const { token } = JSON.parse(Buffer.from((await asked.readBody?.()) ?? []).toString());
    return typeof token === 'string' ? token : '';
  } catch {
    return '';
  }
}

/** Counts wrong tokens by address. */
function createTries() {
  let byAddress = new Map<string, { count: number; readonly sinceMs: number }>();
  const of = (address: string) => {
    const known = byAddress.get(address);
    return known && performance.now() - known.sinceMs < TRIES_MS ? known : undefined;
  };
  return {
    /** Seconds until this address may try again; 0: now. */
    waitS(address: string): number {
      const known = of(address);
      if (known === undefined || known.count < TRIES_MAX) return 0;
      return Math.ceil((known.sinceMs + TRIES_MS - performance.now()) / 1_000);
    },
    failed(address: string): void {
      if (byAddress.size >= ADDRESSES_MAX) byAddress = new Map();
      const known = of(address) ?? { count: 0, sinceMs: performance.now() };
      known.count++;
      byAddress.set(address, known);
    },
  };
}

const READ_CONSOLE = operation({
  id: 'readConsole',
  tag: 'Operations',
  summary: 'The console',
  description:
    'The page of operators. It asks for the admin token, and loads nothing from other hosts. In production without `ADMIN_TOKEN` it does not exist.',
  parameters: [IF_NONE_MATCH],
  answers: { 200: answersText('The page.', HTML_TYPE, ['ETag', 'Cache-Control']), 304: notModified },
});

const NOTHING = { description: 'Done; the header Set-Cookie says so to the browser.' };

const LOG_IN = operation({
  id: 'openSession',
  tag: 'Operations',
  summary: 'Log in to the console',
  description:
    'Opens a session of 12 hours for a page of this service: a cookie that no script reads, which the admin API takes instead of the token. 5 wrong tokens of an address in a minute are enough.',
  body: {
    required: true,
    content: {
      'application/json': {
        schema: { type: 'object', properties: { token: { type: 'string' } }, required: ['token'] },
        examples: { example: { value: { token: 's3cret' } } },
      },
    },
  },
  answers: { 204: NOTHING },
  problems: ['unauthorized', 'rate_limited'],
});

const LOG_OUT = operation({
  id: 'endSession',
  tag: 'Operations',
  summary: 'Log out of the console',
  description: 'Takes the cookie back.',
  answers: { 204: NOTHING },
  problems: ['unauthorized'],
});
