/** The check of payments: each is settled once, and its units are where its state says. Postgres alone has them. */
import { type Postgres, statement } from '../postgres.ts';
import { type Check, findingsOf } from './findings.ts';
import { codesOf } from './keys.ts';

const sql = { payments: statement('audit_payments'), codes: statement('audit_payment_codes') };

interface Row extends Record<string, unknown> {
  readonly code: string;
  /** Null when there is no payment. */
  readonly state: 'pending' | 'confirmed' | 'released' | 'expired' | null;
  readonly units: number | null;
  /** Units that its decision bought; null when there is none, or it bought nothing. */
  readonly bought: number | null;
  readonly held: number;
  /** Kinds of its returns, in their order. */
  readonly kinds: readonly string[];
}

/** Every purchase of a sale with a payment window has a payment; what is pending holds all it bought, what is released nothing. */
export const checkPayments: Check = async ({ saleId, postgres }, codes) => {
  const rows = await postgres.query<Row>(sql.payments, [saleId, codes]);
  const byCode = new Map(rows.map((row) => [row.code, row]));
  return findingsOf(codes, (code) => findingIn(byCode.get(code) as Row));
};

function findingIn({ state, units, bought, held, kinds }: Row): string | undefined {
  if (state === null) return bought === null ? undefined : 'has bought something, and has no payment';
  if (bought === null) return 'has a payment, and has bought nothing';
  if (units !== bought) return `has a payment for ${units} units, and has bought ${bought}`;
  switch (state) {
    case 'pending':
      if (held !== bought) return `waits for the payment of ${bought} units, and holds ${held}`;
      return kinds.length > 0 ? `waits for its payment, and came back as ${kinds.join(', ')}` : undefined;
    case 'confirmed': {
      const wrong = kinds.filter((kind) => kind !== 'cancelled');
      return wrong.length > 0 ? `was paid, and came back as ${wrong.join(', ')}` : undefined;
    }
    default:
      if (held > 0) return `is ${state}, and holds ${held} units`;
      return kinds.join() === state
        ? undefined
        : `is ${state}, and came back as ${kinds.join(', ') || 'nothing'}`;
  }
}

/** The codes of a sale's payments, in parts. */
export const paymentsInPostgres = (postgres: Postgres, saleId: string): AsyncGenerator<string[]> =>
  codesOf(postgres, sql.codes, saleId);
