/** PromQL that several rows ask with. */

export const RATE = '[$__rate_interval]';
export const SALE = '{sale=~"$sale"}';
export const UNKNOWN = 'purchase_failure_total{reason="outcome_unknown"}';
/** Both handlers that sell. */
export const SELLING = 'handler=~"/checkout|/purchase"';

export const rate = (metric) => `sum(rate(${metric}${RATE}))`;
export const rateBy = (label, metric) => `sum by (${label}) (rate(${metric}${RATE}))`;
export const quantile = (q, histogram, by = '') =>
  `histogram_quantile(${q}, sum by (${by}le) (rate(${histogram}${RATE})) > 0)`;
export const buckets = (handler) => `http_request_duration_seconds_bucket{handler="${handler}"}`;
export const quantiles = (handler) => [
  [quantile(0.5, buckets(handler)), 'p50'],
  [quantile(0.95, buckets(handler)), 'p95'],
  [quantile(0.99, buckets(handler)), 'p99'],
];

export const GOOD_IS_ONE = { red: null, green: 1 };
export const GOOD_IS_ZERO = { green: null, red: 1 };
