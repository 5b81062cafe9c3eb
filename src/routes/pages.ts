import { answersText, type Documented, notModified, operation } from '../contract/operation.ts';
import { IF_NONE_MATCH, path } from '../contract/parameters.ts';
import { type Assets, openAssets } from '../http/assets.ts';
import { problem } from '../http/problem.ts';
import { consoleEndpoints } from './console.ts';
import type { RouteDeps } from './deps.ts';
import { storefrontEndpoints } from './storefront.ts';

/** The pages that this service has, and the files that they load. */
export function pageEndpoints(deps: Pick<RouteDeps, 'config'>): Documented[] {
  const assets = openAssets();
  const pages = [...storefrontEndpoints(deps, assets), ...consoleEndpoints(deps, assets)];
  return pages.length === 0 ? [] : [...pages, assetEndpoint(assets)];
}

const assetEndpoint = (assets: Assets): Documented => ({
  method: 'GET',
  path: '/assets/:build/:room/:name',
  operation: readAsset(assets.build),
  // A page has some thirty of them, and a file costs less than to count it.
  isUnlimited: true,
  answer: (asked) => {
    const { build = '', room = '', name = '' } = asked.params;
    return assets.answer({ build, room, name }, asked.headers) ?? problem(asked, 'not_found');
  },
});

const TYPES = [
  'text/javascript; charset=utf-8',
  'text/css; charset=utf-8',
  'image/svg+xml',
  'application/json',
];

const readAsset = (build: string) =>
  operation({
    id: 'readAsset',
    tag: 'Operations',
    summary: 'A file of a page',
    description:
      'A module, style or picture of the pages of this service, compressed for those who say so. Its address has a hash of the build, and it never changes.',
    parameters: [
      path('build', { type: 'string' }, 'The build; another one has other files.', build),
      path('room', { type: 'string' }, 'The page that it belongs to.', 'storefront'),
      path('name', { type: 'string' }, 'The file.', 'style.css'),
      IF_NONE_MATCH,
    ],
    answers: {
      200: {
        ...answersText('The file.', 'text/css; charset=utf-8', ['ETag', 'Cache-Control']),
        content: Object.fromEntries(TYPES.map((type) => [type, { schema: { type: 'string' } }])),
      },
      304: notModified,
    },
  });
