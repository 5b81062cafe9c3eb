/** The crowds of `npm run perf -- load`: how many users for how long, and how they behave. */

export interface Behaviour {
  /** Share of the users who behave so. */
  readonly share: number;
  /** Of 1: visitors who put something into a cart, and of those the ones who buy it. */
  readonly checksOut: number;
  readonly buys: number;
  /** Items of a cart. */
  readonly items: number;
  /** Pause before each step. */
  readonly thinkMs: number;
  /** Of 1: picks that are made among the popular items. */
  readonly popular: number;
}

export interface Profile {
  readonly users: number;
  readonly seconds: number;
  readonly crowd: readonly Behaviour[];
}

/** The first tenth of the catalogue is popular: everybody sees the first page. */
export const POPULAR_SHARE = 0.1;

/** Everybody checks out and buys one item after the other, as fast as they are answered. */
const EAGER: readonly Behaviour[] = [{ share: 1, checksOut: 1, buys: 1, items: 1, thinkMs: 0, popular: 0 }];

const REALISTIC: readonly Behaviour[] = [
  { share: 0.1, checksOut: 0.9, buys: 0.8, items: 3, thinkMs: 100, popular: 0.7 },
  { share: 0.6, checksOut: 0.6, buys: 0.4, items: 2, thinkMs: 300, popular: 0.3 },
  { share: 0.3, checksOut: 0.3, buys: 0.1, items: 1, thinkMs: 500, popular: 0.3 },
];

export const PROFILES: Readonly<Record<string, Profile>> = {
  light: { users: 50, seconds: 30, crowd: EAGER },
  medium: { users: 100, seconds: 60, crowd: EAGER },
  heavy: { users: 500, seconds: 300, crowd: EAGER },
  stress: { users: 1_000, seconds: 600, crowd: EAGER },
  'realistic light': { users: 200, seconds: 120, crowd: REALISTIC },
  'realistic default': { users: 400, seconds: 300, crowd: REALISTIC },
  'realistic heavy': { users: 800, seconds: 600, crowd: REALISTIC },
  'realistic stress': { users: 1_500, seconds: 900, crowd: REALISTIC },
};
