/** What each statement of `sql/` does and to which table, for the metrics; statements inside a transaction count as one. */
const KINDS: Readonly<Record<string, readonly [queryType: string, table: string]>> = {
  add_attempts_day: ['call', 'checkout_attempts'],
  audit_buyers: ['select', 'purchases'],
  audit_codes: ['select', 'decisions'],
  audit_decisions: ['select', 'decisions'],
  audit_item_ids: ['select', 'items'],
  audit_items: ['select', 'items'],
  audit_sale: ['select', 'sales'],
  audit_strays: ['select', 'purchases'],
  audit_users: ['select', 'purchases'],
  buyer_traces: ['select', 'purchases'],
  bump_epoch: ['update', 'sales'],
  commit_purchases: ['insert', 'purchases'],
  count_decisions: ['select', 'decisions'],
  count_stray_attempts: ['select', 'checkout_attempts'],
  drop_attempts_before: ['call', 'checkout_attempts'],
  find_decisions: ['select', 'decisions'],
  find_event: ['select', 'events'],
  item_codes: ['select', 'purchases'],
  item_position: ['select', 'items'],
  list_unsold: ['select', 'items'],
  list_items: ['select', 'items'],
  list_sales: ['select', 'sales'],
  live_sales: ['select', 'sales'],
  mend_feed: ['update', 'events'],
  open_epoch: ['update', 'sales'],
  prune_admin_answers: ['delete', 'admin_answers'],
  prune_events: ['delete', 'events'],
  prune_segments: ['delete', 'attempt_segments'],
  read_events: ['select', 'events'],
  rebuild_bought: ['select', 'purchases'],
  rebuild_decisions: ['select', 'decisions'],
  rebuild_items: ['select', 'items'],
  rename_attempts: ['update', 'checkout_attempts'],
  retire_sale: ['update', 'sales'],
  sale_codes: ['select', 'decisions'],
  sale_state: ['select', 'sales'],
  taken_items: ['select', 'items'],
  tell_stages: ['insert', 'events'],
  uncommitted_codes: ['select', 'decisions'],
  user_codes: ['select', 'decisions'],
};

/** A statement that only runs inside a transaction, or has no file. */
const OTHER = ['other', 'none'] as const;

export const kindOf = (statement: string): readonly [queryType: string, table: string] =>
  KINDS[statement] ?? OTHER;
