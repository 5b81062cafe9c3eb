import { Refusal } from '../client/index.ts';

/** What a buyer is told about a refusal; what is not here is told in the service's own words. */
const SENTENCES: Readonly<Record<string, string>> = {
  item_already_sold: 'Somebody was faster: this one is sold.',
  sale_sold_out: 'Everything is sold. Thank you for coming!',
  sale_not_active: 'The sale is not open right now.',
  sale_paused: 'The sale is paused for a moment. Your cart stays as it is.',
  not_admitted: 'It is not your turn yet. Load this page again to take your place in the queue.',
  buyer_unproven: 'Please sign in to the shop first, and come back.',
  buyer_mismatch: 'This belongs to another buyer.',
  checkout_not_found: 'This cart is not there any more.',
  rate_limited: 'That was a little fast. Trying again in a moment.',
  overloaded: 'Many people are here right now. Trying again in a moment.',
  unavailable: 'The shop is catching its breath. Trying again in a moment.',
  network: 'The connection is gone. Trying again in a moment.',
  timeout: 'The shop did not answer. Trying again in a moment.',
  outcome_unknown: 'Making sure what became of your purchase. Nothing is bought twice.',
};

export function sentenceFor(error: unknown): string {
  if (!(error instanceof Refusal)) return 'Something went wrong on this page. Please load it again.';
  return SENTENCES[error.code] ?? error.message;
}
