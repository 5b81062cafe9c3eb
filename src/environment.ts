export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Readers of the variables of one environment. A bad variable leaves a sentence in `errors`, and its fallback stands in, so that
 * all bad ones can be named at once. An empty variable is an absent one.
 */
export function readersOf(env: Env) {
  const errors: string[] = [];
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  const read = <T>(name: string, fallback: T, parse: (raw: string) => T | undefined, must: string): T => {
    const raw = text(name);
    if (raw === undefined) return fallback;
    const value = parse(raw);
    if (value === undefined) errors.push(`${name} must be ${must}`);
    return value ?? fallback;
  };
  return {
    errors,
    text,
    integer(name: string, fallback: number, min: number, max: number): number {
      const parse = (raw: string) => numberIn(raw, min, max, Number.isInteger);
      return read(name, fallback, parse, `a whole number from ${min} to ${max}, not "${text(name)}"`);
    },
    share(name: string, fallback: number): number {
      const parse = (raw: string) => numberIn(raw, 0, 1);
      return read(name, fallback, parse, `a number from 0 to 1, not "${text(name)}"`);
    },
    oneOf<T extends string>(name: string, fallback: T, allowed: readonly T[]): T {
      const parse = (raw: string) => allowed.find((each) => each === raw);
      return read(name, fallback, parse, `one of ${allowed.join(', ')}, not "${text(name)}"`);
    },
    /** https://www.rfc-editor.org/rfc/rfc6750#section-2.1: what a header can carry as a bearer token. */
    bearer(name: string): string | undefined {
      const parse = (raw: string) => (/^[A-Za-z0-9._~+/-]+=*$/.test(raw) ? raw : undefined);
      return read(name, undefined, parse, 'of A-Z a-z 0-9 . _ ~ + / - alone, to be sent as a bearer token');
    },
    url(name: string, protocols: readonly string[]): string | undefined {
      const parse = (raw: string) =>
        URL.canParse(raw) && protocols.includes(new URL(raw).protocol) ? raw : undefined;
      const beginnings = protocols.map((protocol) => `${protocol}//`).join(' or ');
      return read(name, undefined, parse, `a URL that begins with ${beginnings}`);
    },
  };
}

function numberIn(raw: string, min: number, max: number, isKind = (_: number) => true): number | undefined {
  const value = Number(raw);
  return isKind(value) && value >= min && value <= max ? value : undefined;
}
