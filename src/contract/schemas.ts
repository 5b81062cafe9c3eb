import { ID } from '../http/input.ts';
import { RFC_3339 } from '../http/time.ts';
import { type SALE_FIELDS, TEXT, TEXT_MAX, TOTAL_MAX, USER_LIMIT_MAX } from '../routes/admin.ts';
import type { SaleView } from '../routes/sales.ts';
import { SALE_ID } from '../sale.ts';
import { PLACES } from '../shard/place.ts';
import { SLOTS_MAX } from '../shard/ring.ts';
import { CHECKOUT_CODE } from '../store/checkouts.ts';
import type { Receipt } from '../store/decision.ts';
import type { ItemView } from '../store/items.ts';
import { count, listOf, objectOf, ref, textOf } from './schema.ts';
import { STORY } from './story.ts';
import type { Schema } from './types.ts';

const time = (description: string) => textOf(RFC_3339, description, { format: 'date-time' });
const flag = (description: string): Schema => ({ type: 'boolean', description });
const text = (description: string): Schema => ({ type: 'string', description });
const printable = (description: string) => textOf(TEXT, description, { maxLength: TEXT_MAX });
const isUp: Schema = { type: 'string', enum: ['UP', 'DOWN'] };
const uptime = textOf(/^(\d+h)?(\d+m)?\d+s$/, 'How long the process has been running.', {
  examples: ['1h2m3s'],
});

const sale = objectOf<SaleView>({
  id: ref('schemas', 'SaleId'),
  started_at: time('When the sale opens, UTC.'),
  ended_at: time('When it closes, UTC. Nothing is sold from this moment on.'),
  total_items: count('Items of the sale.', 1),
  items_sold: count('Items sold so far.'),
  active: flag('Whether it is open now.'),
});

/** The fields of a sale's body must be the ones that `readNewSale` knows. */
const newSale: Record<(typeof SALE_FIELDS)[number], Schema> = {
  total_items: count('Items of the sale. Needed without `items`; with it, their number.', 1, {
    maximum: TOTAL_MAX,
  }),
  started_at: time('When it opens; the beginning of this hour when left out.'),
  ended_at: time(
    'When it closes: later than the start, in the future, within 7 days. One hour after the start when left out.',
  ),
  user_limit: count('Items one user may hold in this sale; `USER_LIMIT` of the service when left out.', 1, {
    maximum: USER_LIMIT_MAX,
  }),
  items: listOf(ref('schemas', 'NewItem'), {
    minItems: 1,
    description: 'Your own items, in their order. Generated when left out.',
  }),
};

/** Everything but the problems, which are generated from their table. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Id: textOf(ID, 'An id of a user or an item.', { examples: [STORY.user, STORY.item] }),
  SaleId: textOf(SALE_ID, 'The id of a sale.', { examples: [STORY.saleId] }),
  CheckoutCode: textOf(
    CHECKOUT_CODE,
    'The code of one cart: the id of its sale and 128 random bits. A secret of its user.',
    {
      examples: [STORY.code],
    },
  ),
  Cart: objectOf({
    code: ref('schemas', 'CheckoutCode'),
    items_count: count('Lines in the cart.', 1),
    sale_ends_at: time('When the sale closes, UTC.'),
  }),
  Receipt: objectOf<Receipt>({
    success: flag('Whether at least one line was bought.'),
    purchased_items: listOf(ref('schemas', 'ReceiptLine'), {
      description: 'Every line of the cart, in the order added.',
    }),
    total_purchased: count('Lines bought.'),
    failed_count: count('Lines that somebody else had bought before.'),
  }),
  ReceiptLine: objectOf<Receipt['purchased_items'][number]>({
    id: ref('schemas', 'Id'),
    name: text('The name of the item.'),
    sold: flag('Whether this purchase got it.'),
  }),
  Sale: sale,
  Item: objectOf<ItemView>({
    id: ref('schemas', 'Id'),
    name: text('What it is called.'),
    image_url: text('Its picture: a path here for generated items, or what the admin gave.'),
    sold: flag('Whether it is sold, as far as it is committed.'),
  }),
  NewSale: {
    type: 'object',
    properties: newSale,
    additionalProperties: false,
    anyOf: [{ required: ['total_items'] }, { required: ['items'] }],
  },
  NewItem: {
    type: 'object',
    properties: {
      id: {
        ...ref('schemas', 'Id'),
        description: 'Unique among the items of all sales; generated when left out.',
      },
      name: printable('What it is called.'),
      image_url: printable('The URL of its picture; a generated one when left out.'),
    },
    required: ['name'],
  },
  CreatedSale: objectOf({
    data: objectOf<Omit<SaleView, 'items_sold' | 'active'>>({
      id: ref('schemas', 'SaleId'),
      started_at: time('When it opens, UTC.'),
      ended_at: time('When it closes, UTC.'),
      total_items: count('Items of the sale.', 1),
    }),
    message: text('A sentence.'),
  }),
  Health: objectOf({
    services_status: objectOf({ app: isUp, database: isUp, redis: isUp }),
    uptime,
    memory: objectOf({
      alloc: count('Bytes of heap in use by the worker that answers.'),
      sys: count('Bytes of memory that worker has from the system.'),
    }),
    workers: listOf(
      objectOf({
        slot: count('Its place on the ring.', 0, { maximum: SLOTS_MAX - 1 }),
        pid: count('Its process.', 1),
        uptime,
        memory: count('Bytes of memory it has from the system.'),
      }),
      { description: 'All workers of the box; empty while the primary does not answer.' },
    ),
  }),
  Live: objectOf({ status: { type: 'string', const: 'live' } }),
  Ready: objectOf({ status: { type: 'string', const: 'ready' }, checks: ref('schemas', 'Checks') }),
  Checks: objectOf({
    redis: flag('Redis is connected.'),
    postgres: flag('Postgres is connected.'),
    gate: flag('Every sale that is open can sell.'),
    serving: flag('The worker is not draining.'),
  }),
  Shards: objectOf({
    slots: listOf({
      type: 'object',
      properties: {
        slot: count('A worker’s place on the ring.', 0, { maximum: SLOTS_MAX - 1 }),
        port: count('Its own port; only with `WORKER_PORT_BASE`.', 1, { maximum: 65_535 }),
      },
      required: ['slot'],
    }),
    ring: objectOf({
      places: {
        type: 'integer',
        const: PLACES,
        description: 'Places on the ring; an item id hashes onto one.',
      },
      rule: text('Where the hash is described.'),
      arcs: listOf(
        { type: 'array', prefixItems: [count('First place.'), count('Slot.')], minItems: 2, maxItems: 2 },
        { description: 'Who owns which places: `[first place, slot]`, ascending.' },
      ),
    }),
  }),
};
