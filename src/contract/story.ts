/**
 * The data of the document's examples: one small sale, and one buyer. test/contract/examples.test.ts sends the
 * requests to a real service and compares its answers.
 */
const items = [
  { id: 'lamp-1', name: 'Rustic Lamp' },
  { id: 'vase-1', name: 'Blue Vase' },
  { id: 'bowl-1', name: 'Walnut Bowl' },
] as const;
const saleId = 'S-3f9a1c22b7';
const hour = { started_at: '2026-11-22T07:00:00Z', ended_at: '2026-11-22T08:00:00Z' };
const sale = { id: saleId, ...hour, total_items: items.length, items_sold: 0, active: true, state: 'active' };

const bought = { purchased_items: [{ ...items[0], sold: true }], total_purchased: 1, failed_count: 0 };

const code = `CHK-${saleId}-9b2e61c04d7f4a53b8e0d1f6a7c25e94`;

const purchase = {
  code,
  sale_id: saleId,
  user_id: 'ada',
  purchased_at: '2026-11-22T07:00:03.217Z',
  state: 'final',
  ...bought,
};

export const STORY = {
  user: 'ada',
  item: items[0].id,
  kind: 'table-lamp',
  saleId,
  code,
  requestId: 'shop-7f3a',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  newSale: { user_limit: 2, items },
  laterSale: {
    total_items: 500,
    started_at: '2099-11-27T08:00:00Z',
    ended_at: '2099-11-27T09:00:00Z',
  },
  pricedSale: {
    name: 'Friday drop',
    currency: 'EUR',
    items: [
      { id: 'shirt-m', name: 'Drop Shirt', price: 3_900, data: { size: 'M' } },
      { id: 'shirt-l', name: 'Drop Shirt', price: 3_900, data: { size: 'L' } },
    ],
  },
  table: 'id,name,price\r\nmug-1,Drop Mug,\r\n"mug-2","Drop Mug, large",\r\n',
  moreItems: {
    items: [
      { id: 'jug-1', name: 'Stone Jug' },
      { id: items[0].id, stock: 3 },
    ],
  },
  itemsAdded: { id: saleId, total_items: items.length + 3, items_added: 1, units_added: 3 },
  created: {
    data: { id: saleId, ...hour, total_items: items.length },
    message: 'Sale created successfully',
  },
  checked: {
    ...{ ...hour, total_items: items.length, user_limit: 2 },
    items: items.map((item) => ({ ...item, stock: 1 })),
  },
  sale,
  page: [
    { ...items[0], image_url: '/items/lamp-1/image.svg?as=table-lamp', sold: false },
    { ...items[1], image_url: '/items/vase-1/image.svg?as=vase', sold: false },
  ],
  cart: { code, items_count: 1, sale_ends_at: hour.ended_at },
  cartView: { code, sale_id: saleId, items: [{ ...items[0], available: true }], items_count: 1 },
  turn: {
    ticket: `${saleId}.0.YWRh.2JpO4bJrVtCPyJ3aBvQ0Zg`,
    place: null,
    admitted: false,
    sale_starts_at: hour.started_at,
    state: 'drawing',
    before: null,
    wait_seconds: null,
  },
  receipt: { success: true, ...bought },
  ownPurchase: {
    success: true,
    ...bought,
    sale_id: saleId,
    purchased_at: purchase.purchased_at,
    state: purchase.state,
  },
  purchase,
  confirmed: {
    ...purchase,
    state: 'confirmed',
    payment: { state: 'confirmed', due_at: '2026-11-22T07:15:03.224Z' },
  },
  released: {
    ...purchase,
    state: 'released',
    payment: { state: 'released', due_at: '2026-11-22T07:15:03.224Z' },
  },
  cancelled: {
    ...purchase,
    state: 'cancelled',
    purchased_items: [{ ...items[0], sold: true, cancelled: 1 }],
    cancellations: [
      {
        cancelled_at: '2026-11-22T07:20:11.402Z',
        restocked: true,
        reason: 'Broken in the warehouse',
        items: [{ id: items[0].id, quantity: 1 }],
      },
    ],
  },
  cancellation: {
    items: [{ id: items[0].id, quantity: 1 }],
    restock: true,
    reason: 'Broken in the warehouse',
  },
  event: {
    id: '981.1042.0.1795330803217000',
    type: 'purchase.completed',
    timestamp: purchase.purchased_at,
    data: purchase,
  },
  lost: {
    success: false,
    purchased_items: [{ ...items[0], sold: false }],
    total_purchased: 0,
    failed_count: 1,
  },
};
