/** What a browser may do with an answer: show pages and pictures, and nothing else. */
const COMMON = {
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
};

/** Nothing may be loaded, run or sent, and nobody may frame it; `more` opens what is needed. */
const policy = (...more: readonly string[]): string =>
  ["default-src 'none'", ...more, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join(
    '; ',
  );

/** Headers of a page whose only parts are inline: its style, known by its hash, and `data:` images. */
export const pageHeaders = (styleHash: string) => ({
  ...COMMON,
  'Content-Security-Policy': policy(`style-src '${styleHash}'`, 'img-src data:'),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
});

/** Headers of a page that is a program: it runs, shows and asks what comes from this service, and nothing else. */
export const appHeaders = () => ({
  ...COMMON,
  'Content-Security-Policy': policy(
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
  ),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
});

/** Headers of a picture, which shops of other origins embed. */
export const PICTURE_HEADERS = {
  ...COMMON,
  'Content-Security-Policy': policy(),
  'Cross-Origin-Resource-Policy': 'cross-origin',
} as const;
