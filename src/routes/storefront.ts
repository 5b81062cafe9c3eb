import { answersText, type Documented, notModified, operation } from '../contract/operation.ts';
import { header, IF_NONE_MATCH, path } from '../contract/parameters.ts';
import { preferred } from '../http/accept.ts';
import { JSON_TYPE } from '../http/answer.ts';
import { openAssets } from '../http/assets.ts';
import { tagOf, unlessKnown } from '../http/etag.ts';
import { problem } from '../http/problem.ts';
import { appHeaders } from '../http/security-headers.ts';
import type { RouteDeps } from './deps.ts';

export const HTML_TYPE = 'text/html; charset=utf-8';
/** Caches must ask, so that a new release is seen at once. */
const PAGE_HEADERS = { 'Cache-Control': 'no-cache', Vary: 'Accept', ...appHeaders() };

/** GET / for browsers, the page of buyers, and the files that it loads. */
export function storefrontEndpoints({ config }: Pick<RouteDeps, 'config'>): Documented[] {
  if (config.storefront === 'off') return [];
  const assets = openAssets();
  const isDemo = !config.production && config.adminToken === undefined;
  const page = assets.page('storefront').replace('{demo}', isDemo ? 'on' : 'off');
  const tag = tagOf(page);
  const [example] = ['style.css'];
  const readAsset = operation({
    id: 'readAsset',
    tag: 'Operations',
    summary: 'A file of a page',
    description:
      'A module, style or picture of the pages of this service, compressed for those who say so. Its address has a hash of the build, and it never changes.',
    parameters: [
      path('build', { type: 'string' }, 'The build; another one has other files.', assets.build),
      path('room', { type: 'string' }, 'The page that it belongs to.', 'storefront'),
      path('name', { type: 'string' }, 'The file.', example as string),
      IF_NONE_MATCH,
    ],
    answers: {
      200: {
        ...answersText('The file.', 'text/css; charset=utf-8', CACHED),
        content: Object.fromEntries(ASSET_TYPES.map((type) => [type, { schema: { type: 'string' } }])),
      },
      304: notModified,
    },
  });
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
    {
      method: 'GET',
      path: '/assets/:build/:room/:name',
      operation: readAsset,
      // A page has some twenty of them, and a file costs less than to count it.
      isUnlimited: true,
      answer: (asked) => {
        const { build = '', room = '', name = '' } = asked.params;
        return assets.answer({ build, room, name }, asked.headers) ?? problem(asked, 'not_found');
      },
    },
  ];
}

const CACHED = ['ETag', 'Cache-Control'] as const;
const ASSET_TYPES = ['text/javascript; charset=utf-8', 'text/css; charset=utf-8', 'image/svg+xml'];

const READ_STOREFRONT = operation({
  id: 'readStorefront',
  tag: 'Operations',
  summary: 'The storefront',
  description:
    'The page of buyers, for browsers: `Accept` must name `text/html`. It loads nothing from other hosts. `STOREFRONT=off` turns it off.',
  parameters: [header('Accept', 'What a browser sends.', { type: 'string' }, 'text/html'), IF_NONE_MATCH],
  answers: {
    200: answersText('The page.', HTML_TYPE, CACHED),
    304: notModified,
  },
});
