/** A page of rows, of which one more than `limit` was read: that one says that there is a next page. */
export function pageOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
): { shown: readonly Row[]; next: string | undefined } {
  const shown = rows.slice(0, limit);
  return { shown, next: rows.length > limit ? shown.at(-1)?.id : undefined };
}

/** The header `Link` to the page behind the row `next`; no header without one. */
export function linkToNext(
  path: string,
  limit: number,
  next: string | undefined,
  filter: Readonly<Record<string, string>>,
): Record<string, string> {
  if (next === undefined) return {};
  const query = new URLSearchParams({ limit: String(limit), after: next, ...filter });
  return { Link: `<${path}?${query}>; rel="next"` };
}
