/** What the demo sells: a few unique things that everybody wants, and more of the others. */
import { itemMaker } from '../src/goods/catalogue.ts';

export interface Good {
  readonly id: string;
  readonly name: string;
  /** In cents. */
  readonly price: number;
  readonly stock: number;
}

const KINDS = 48;
/** Every third is there once. */
const UNIQUE_EVERY = 3;

/** Some `units` in all, of 48 things: always the same ones. */
export function goodsOf(units: number): Good[] {
  const named = itemMaker('S-0000000d3a');
  const many = KINDS - Math.ceil(KINDS / UNIQUE_EVERY);
  const each = Math.max(1, Math.round((units - (KINDS - many)) / many));
  return Array.from({ length: KINDS }, (_, i) => ({
    id: `demo-${String(i + 1).padStart(2, '0')}`,
    name: named(i).name,
    price: 900 + ((i * 1_370) % 12_000),
    stock: i % UNIQUE_EVERY === 0 ? 1 : each,
  }));
}
