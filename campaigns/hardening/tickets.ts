import { createHmac } from 'node:crypto';

/** Tickets of a queue that somebody makes of a good one, without the key; plain in a query and in a path. */
export function forgedTickets(ticket: string): string[] {
  const [sale = '', number = '', user = '', mac = ''] = ticket.split('.');
  const of = (...parts: readonly string[]) => parts.join('.');
  const named = (name: string) => Buffer.from(name).toString('base64url');
  const signed = (key: string) =>
    createHmac('sha256', key)
      .update(of(sale, number, user))
      .digest()
      .toString('base64url', 0, 16);
  return [
    of(sale, '0', user, mac),
    of(sale, '1', user, mac),
    of(sale, `0${number}`, user, mac),
    of(sale, String(Number(number) + 1), user, mac),
    of(sale, '9999999999', user, mac),
    of('S-0000000000', number, user, mac),
    of(sale, number, named('eve'), mac),
    of(sale, number, named(''), mac),
    of(sale, number, user, 'A'.repeat(22)),
    ...['', sale, user, 'secret'].map((key) => of(sale, number, user, signed(key))),
    ...[...mac].map((char, i) =>
      of(sale, number, user, `${mac.slice(0, i)}${char === 'A' ? 'B' : 'A'}${mac.slice(i + 1)}`),
    ),
    of(sale, number, user, mac.slice(0, -1)),
    of(sale, number, user, `${mac}A`),
    of(sale, number, user, mac, mac),
    of(sale, number, user),
    `${ticket}.`,
    `.${ticket}`,
    ticket.toUpperCase(),
    ticket.slice(2),
    'x',
  ].filter((each) => each !== ticket);
}
