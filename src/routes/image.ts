import { pictureOf } from '../goods/picture.ts';
import type { Answer, RequestContext } from '../http/answer.ts';
import { isId } from '../http/input.ts';
import { problem } from '../http/problem.ts';
import { PICTURE_HEADERS } from '../http/security-headers.ts';
import { matches } from './sales.ts';

/** The style of the pictures; a release that draws them otherwise raises it, so that caches ask again. */
const TAG = '"picture-1"';
const HEADERS = { ETag: TAG, 'Cache-Control': 'public, max-age=31536000, immutable', ...PICTURE_HEADERS };

/** GET /items/{id}/image.svg: the picture of an item, drawn from its id alone, whether any sale has it or not. */
export function image(context: RequestContext, itemId: string, knownTag: string | undefined): Answer {
  if (!isId(itemId)) return problem(context, 'item_not_found');
  if (matches(knownTag, TAG)) return { status: 304, type: '', body: '', headers: HEADERS };
  return { status: 200, type: 'image/svg+xml', body: pictureOf(itemId), headers: HEADERS };
}
