import { Refusal } from '../client/errors.ts';
import { byId, el } from '../storefront/dom.ts';
import { say } from '../storefront/toast.ts';
import { ask, figures, sentenceOf } from './api.ts';
import { createBoxes } from './boxes.ts';
import { showLogin } from './login.ts';
import { createOrdersView } from './orders.ts';
import { createOverview } from './overview.ts';
import { createSalesView } from './sales.ts';
import { createDeadWebhooks, createTrail } from './trail.ts';

/** How often the lists are read anew. */
const LISTS_MS = 5_000;

const main = byId('main');
const out = byId<HTMLButtonElement>('log-out');
let leave = new AbortController();

document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
out.addEventListener('click', () => {
  ask('DELETE', 'console/session').then(login, (error) => say(sentenceOf(error)));
});
void start();

async function start(): Promise<void> {
  try {
    await ask('GET', 'admin/actions?limit=1');
  } catch (error) {
    if (error instanceof Refusal && error.code === 'unauthorized') return login();
    main.replaceChildren(el('p', { class: 'loading' }, sentenceOf(error)));
    setTimeout(() => void start(), LISTS_MS);
    return;
  }
  await show();
}

function login(): void {
  leave.abort();
  out.hidden = true;
  showLogin(main, () => void start());
}

async function show(): Promise<void> {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  out.hidden = document.documentElement.dataset.session !== 'kept';
  const runbook = await (await fetch(new URL('runbook.json', import.meta.url))).json();
  const overview = createOverview(runbook);
  const boxes = createBoxes();
  const orders = createOrdersView();
  const trail = createTrail();
  const dead = createDeadWebhooks();
  const sales = createSalesView(() => orders.setSales(sales.sales));
  main.replaceChildren(
    el('h1', { class: 'unseen' }, 'Console'),
    overview.element,
    boxes.element,
    sales.element,
    orders.element,
    dead.element,
    trail.element,
  );
  const lists = async () => {
    await Promise.all([sales.load(), trail.load(), dead.load()]);
  };
  const again = async () => {
    while (!signal.aborted) {
      await lists().catch(failed);
      await new Promise((resolve) => setTimeout(resolve, LISTS_MS));
    }
  };
  void again();
  try {
    for await (const now of figures(signal)) {
      overview.show(now);
      boxes.show(now);
    }
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
}

/** The session may have ended; anything else is over soon. */
function failed(error: unknown): void {
  if (error instanceof Refusal && error.code === 'unauthorized') login();
}
