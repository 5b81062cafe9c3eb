import { answersText, type Documented, notModified, operation } from '../contract/operation.ts';
import { IF_NONE_MATCH, path, query } from '../contract/parameters.ts';
import { ID_SCHEMA } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { kindOf, SLUGS } from '../goods/kinds.ts';
import { pictureOf } from '../goods/picture.ts';
import { unlessKnown } from '../http/etag.ts';
import { type FieldErrors, isId, oneOf, readParameter } from '../http/input.ts';
import { problem } from '../http/problem.ts';
import { PICTURE_HEADERS } from '../http/security-headers.ts';

/** The version of the drawing. Raise it when pictures change, so that caches ask again. */
const TAG = '"picture-1"';
const HEADERS = { 'Cache-Control': 'public, max-age=31536000, immutable', ...PICTURE_HEADERS };
const SVG_TYPE = 'image/svg+xml';
const KIND = { ...oneOf(...SLUGS), form: 'a kind of thing that is drawn here' };

/** GET /items/{id}/image.svg: the picture of an item, drawn from its address alone, whether any sale has it or not. */
export const imageEndpoint: Documented = {
  method: 'GET',
  path: '/items/:id/image.svg',
  operation: operation({
    id: 'readImage',
    tag: 'Sales',
    summary: 'The picture of an item',
    description:
      'An SVG drawn from this address alone, whether a sale has the item or not. It never changes, so caches may keep it. Pages of any origin may embed it.',
    parameters: [
      path('id', ID_SCHEMA, 'The item.', STORY.item),
      query('as', KIND, 'What it shows. Default: what the id of a generated item says, or anything.', {
        example: STORY.kind,
      }),
      IF_NONE_MATCH,
    ],
    answers: {
      200: answersText('The picture.', SVG_TYPE, ['ETag', 'Cache-Control']),
      304: notModified,
    },
    problems: ['validation_failed', 'item_not_found'],
  }),
  answer(asked) {
    const itemId = asked.params.id;
    if (!isId(itemId)) return problem(asked, 'item_not_found');
    const errors: FieldErrors = {};
    const kind = readParameter(asked.query, 'as', KIND, errors);
    if (errors.as !== undefined) return problem(asked, 'validation_failed', { errors });
    const draw = () => pictureOf(itemId, undefined, kind && kindOf(kind));
    return unlessKnown(asked.headers.ifNoneMatch, TAG, SVG_TYPE, draw, HEADERS);
  },
};
