import { answersText, type Documented, notModified, operation } from '../contract/operation.ts';
import { header, IF_NONE_MATCH } from '../contract/parameters.ts';
import { preferred } from '../http/accept.ts';
import { JSON_TYPE } from '../http/answer.ts';
import type { Assets } from '../http/assets.ts';
import { tagOf, unlessKnown } from '../http/etag.ts';
import { problem } from '../http/problem.ts';
import { appHeaders } from '../http/security-headers.ts';
import type { RouteDeps } from './deps.ts';

export const HTML_TYPE = 'text/html; charset=utf-8';
/** Caches must ask, so that a new release is seen at once. */
const PAGE_HEADERS = { 'Cache-Control': 'no-cache', Vary: 'Accept', ...appHeaders() };

/** GET / for browsers, the page of buyers. */
export function storefrontEndpoints({ config }: Pick<RouteDeps, 'config'>, assets: Assets): Documented[] {
  if (config.storefront === 'off') return [];
  const isDemo = !config.production && config.adminToken === undefined;
  const page = assets.page('storefront').replace('{demo}', isDemo ? 'on' : 'off');
  const tag = tagOf(page);
  return [
    {
      method: 'GET',
      path: '/',
      operation: READ_STOREFRONT,
      // Programs ask for anything, `*/*`, and hear what they always have: there is nothing here.
      answer: (asked) =>
        preferred(asked.headers.accept, [JSON_TYPE, 'text/html']) === JSON_TYPE
          ? problem(asked, 'not_found')
          : unlessKnown(asked.headers.ifNoneMatch, tag, HTML_TYPE, () => page, PAGE_HEADERS),
    },
  ];
}

const READ_STOREFRONT = operation({
  id: 'readStorefront',
  tag: 'Operations',
  summary: 'The storefront',
  description:
    'The page of buyers, for browsers: `Accept` must name `text/html`. It loads nothing from other hosts. `STOREFRONT=off` turns it off.',
  parameters: [header('Accept', 'What a browser sends.', { type: 'string' }, 'text/html'), IF_NONE_MATCH],
  answers: {
    200: answersText('The page.', HTML_TYPE, ['ETag', 'Cache-Control']),
    304: notModified,
  },
});
