import { el, setText } from '../storefront/dom.ts';
import { countText } from '../storefront/format.ts';
import { ask, sentenceOf } from './api.ts';
import { act } from './confirm.ts';

/** The service looks at the table this long after the last key. */
const LOOK_MS = 400;
/** Items that the preview names. */
const NAMED = 5;

/** What the service would make of it: see `src/routes/check-sale.ts`. */
interface Checked {
  readonly total_items: number;
  readonly started_at: string;
  readonly ended_at: string;
  readonly items: readonly { readonly id?: string; readonly name: string; readonly stock: number }[];
}

const FIELDS = [
  ['name', 'Name', { maxlength: 200 }],
  ['currency', 'Currency', { maxlength: 3, size: 4, placeholder: 'EUR' }],
  ['started_at', 'Opens (empty: now)', { type: 'datetime-local' }],
  ['ended_at', 'Closes (empty: in an hour)', { type: 'datetime-local' }],
  ['user_limit', 'Units per buyer', { type: 'number', min: 1, max: 100 }],
  ['payment_seconds', 'Seconds to pay (empty: final at once)', { type: 'number', min: 10 }],
  ['admit_per_second', 'Queue: admitted per second (empty: none)', { type: 'number', min: 0, step: 'any' }],
] as const;

const field = (label: string, input: HTMLElement) => el('label', {}, el('span', {}, label), input);

/** A new sale by form and table. Each change is looked at by the service, which names what is wrong, and where, before anything is made. */
export function newSaleForm(again: () => void): HTMLElement {
  const inputs = FIELDS.map(([name, , more]) => el('input', { name, autocomplete: 'off', ...more }));
  const items = el('textarea', { name: 'items', rows: 6, spellcheck: false }, 'id,name,stock,price\n');
  const file = el('input', { type: 'file', accept: '.csv,text/csv', name: 'file' });
  const preview = el('p', { class: 'note', role: 'status' });
  const problems = el('pre', { class: 'faults', role: 'alert' });
  const post = <T>(path: string) =>
    ask<T>('POST', `${path}?${queryOf(inputs)}`, items.value, { 'Content-Type': 'text/csv' });
  const make = createMaker(post, problems, again);
  const look = createPreview(() => post<Checked>('admin/sales/check'), preview, problems);
  for (const input of [...inputs, items]) input.addEventListener('input', look);
  file.addEventListener('change', async () => {
    items.value = (await file.files?.[0]?.text()) ?? items.value;
    look();
  });
  return el(
    'details',
    { class: 'new-sale' },
    el('summary', {}, 'A new sale'),
    el(
      'form',
      { onsubmit: (event) => void make(event) },
      el(
        'div',
        { class: 'fields' },
        FIELDS.map(([, label], i) => field(label, inputs[i] as HTMLElement)),
      ),
      field('Items, as CSV with the columns id, name, stock, price, image_url', items),
      field('Or a file', file),
      preview,
      problems,
      el('button', { type: 'submit', class: 'primary' }, 'Make the sale'),
    ),
  );
}

/** The facts of the sale, as the query of a table has them. */
function queryOf(inputs: readonly HTMLInputElement[]): URLSearchParams {
  const query = new URLSearchParams();
  for (const { name, type, value } of inputs) {
    if (value === '') continue;
    if (name === 'admit_per_second') query.set('queue', JSON.stringify({ [name]: Number(value) }));
    else if (type === 'datetime-local') query.set(name, new Date(value).toISOString());
    else query.set(name, name === 'currency' ? value.toUpperCase() : value);
  }
  return query;
}

/** Looks a moment after the last change; an older look that comes later says nothing. */
function createPreview(check: () => Promise<Checked>, preview: HTMLElement, problems: HTMLElement) {
  let timer = 0;
  let looks = 0;
  const show = async () => {
    const look = ++looks;
    const [found, wrong] = await check().then(
      (checked) => [sentenceFor(checked), ''],
      (error) => ['', sentenceOf(error)],
    );
    if (look !== looks) return;
    setText(preview, found ?? '');
    setText(problems, wrong ?? '');
  };
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => void show(), LOOK_MS);
  };
}

function sentenceFor({ items, total_items: total }: Checked): string {
  const names = items.map(({ name, stock }) => (stock === 1 ? name : `${name} × ${stock}`));
  const more = items.length > NAMED ? ', …' : '';
  return `${countText(total, 'unit')}: ${names.slice(0, NAMED).join(', ')}${more}`;
}

type Post = <T>(path: string) => Promise<T>;

function createMaker(post: Post, problems: HTMLElement, again: () => void) {
  return async (event: Event) => {
    event.preventDefault();
    let checked: Checked;
    try {
      checked = await post<Checked>('admin/sales/check');
    } catch (error) {
      setText(problems, sentenceOf(error));
      return;
    }
    setText(problems, '');
    await act(`Make a sale of ${countText(checked.total_items, 'unit')}?`, 'Make it', async () => {
      const { data } = await post<{ data: { id: string } }>('admin/sales');
      again();
      return `${data.id} is made.`;
    });
  };
}
