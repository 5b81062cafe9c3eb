import type { Documented } from '../contract/operation.ts';
import { actionsEndpoint } from './actions.ts';
import { createSaleEndpoint } from './admin.ts';
import { cancelEndpoint } from './admin-cancel.ts';
import { paymentEndpoints } from './admin-payments.ts';
import { purchasesOfSaleEndpoint } from './admin-purchases.ts';
import { switchEndpoints } from './admin-sale.ts';
import { cartEndpoint } from './carts.ts';
import { checkSaleEndpoint } from './check-sale.ts';
import { checkoutEndpoint } from './checkout.ts';
import type { RouteDeps } from './deps.ts';
import { documentEndpoints } from './documents.ts';
import { eventsEndpoint } from './events.ts';
import { figuresEndpoint } from './figures.ts';
import { healthEndpoints } from './health.ts';
import { imageEndpoint } from './image.ts';
import { itemsEndpoints } from './items.ts';
import { liveEndpoint } from './live.ts';
import { metricsEndpoint } from './metrics.ts';
import { moreItemsEndpoint } from './more-items.ts';
import { noted } from './noted.ts';
import { pageEndpoints } from './pages.ts';
import { purchaseEndpoints } from './purchase.ts';
import { queueEndpoints } from './queue.ts';
import { salesEndpoints } from './sales.ts';
import { shardsEndpoint } from './shards.ts';
import { webhookEndpoints } from './webhooks.ts';

/** Every path of the service, in the order in which the contract shows them. */
export function listEndpoints(deps: RouteDeps): readonly Documented[] {
  const endpoints = [
    checkoutEndpoint(deps),
    ...queueEndpoints(deps),
    cartEndpoint(deps),
    ...purchaseEndpoints(deps),
    ...salesEndpoints(deps),
    ...itemsEndpoints(deps),
    liveEndpoint(deps),
    imageEndpoint,
    createSaleEndpoint(deps),
    checkSaleEndpoint(deps),
    ...switchEndpoints(deps),
    moreItemsEndpoint(deps),
    purchasesOfSaleEndpoint(deps),
    ...paymentEndpoints(deps),
    cancelEndpoint(deps),
    eventsEndpoint(deps),
    ...webhookEndpoints(deps),
    actionsEndpoint(deps),
    figuresEndpoint(deps),
    ...healthEndpoints(deps),
    metricsEndpoint(deps),
    shardsEndpoint(deps),
    ...pageEndpoints(deps),
  ];
  return [...endpoints, ...documentEndpoints(endpoints)].map((each) => noted(deps, each));
}
