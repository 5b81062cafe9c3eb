import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { HTTPException } from 'hono/http-exception';

/** A night's work. */
const LASTS_S = 12 * 3_600;
const NAME = 'flashsale_console';

/** Sessions of the console, for who has shown the admin token. Every worker of every box with that token knows them; none keeps any. */
export interface Sessions {
  /** Whether this is the token; takes as long for any. */
  isToken(given: string): boolean;
  /** The header Set-Cookie that opens a session, or ends it. */
  open(isSecure: boolean): string;
  end(isSecure: boolean): string;
  /** Whether a header Cookie holds a session that is good now. */
  isGood(cookie: string | undefined): boolean;
}

export function createSessions(token: string, now: () => number = Date.now): Sessions {
  const key = createHmac('sha256', token).update('flashsale console').digest();
  const sign = (text: string) => createHmac('sha256', key).update(text).digest();
  const cookie = (value: string, ageS: number, isSecure: boolean) =>
    `${NAME}=${value}; Path=/; Max-Age=${ageS}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  return {
    // Digests are equally long, whatever was given.
    isToken: (given) => timingSafeEqual(sign(`token ${given}`), sign(`token ${token}`)),
    open(isSecure) {
      const text = `${Math.floor(now() / 1_000) + LASTS_S}.${randomBytes(12).toString('base64url')}`;
      return cookie(`${text}.${sign(text).toString('base64url')}`, LASTS_S, isSecure);
    },
    end: (isSecure) => cookie('', 0, isSecure),
    isGood(header = '') {
      const [, until = '', nonce, mark = ''] =
        new RegExp(`(?:^|; )${NAME}=(\\d{1,12})\\.([\\w-]{16})\\.([\\w-]{43})(?:;|$)`).exec(header) ?? [];
      if (nonce === undefined || Number(until) * 1_000 <= now()) return false;
      return timingSafeEqual(Buffer.from(mark, 'base64url'), sign(`${until}.${nonce}`));
    },
  };
}

/** Whether a page of this very service asks: its Origin is the host that was asked. Another site's page cannot pretend one. */
export function isOwnPage(origin: string | undefined, host: string | undefined): boolean {
  return host !== undefined && (origin === `https://${host}` || origin === `http://${host}`);
}

/** Lets pass who brings the admin token, or a session of the console; what changes something only from a page of this service. */
export function adminGuard(token: string): MiddlewareHandler {
  const bearer = bearerAuth({ token });
  const sessions = createSessions(token);
  return async (c, next) => {
    if (c.req.header('authorization') !== undefined || !sessions.isGood(c.req.header('cookie')))
      return bearer(c, next);
    const isReading = c.req.method === 'GET' || c.req.method === 'HEAD';
    if (!isReading && !isOwnPage(c.req.header('origin'), c.req.header('host'))) throw new HTTPException(401);
    return next();
  };
}
