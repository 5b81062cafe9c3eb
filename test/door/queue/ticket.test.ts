import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createMac } from '../../../src/door/queue/mac.ts';
import {
  readTicket,
  saleOfTicket,
  TICKET,
  type Ticket,
  writeTicket,
} from '../../../src/door/queue/ticket.ts';

const newKey = () => createMac(randomBytes(32).toString('hex'));
const key = newKey();
const ticket: Ticket = { saleId: 'S-3f9a1c22b7', user: 'ada@example.com', number: 17 };
const text = writeTicket(key, ticket);

test('a ticket says what was signed, for every id that a user may have', () => {
  for (const user of ['a', "!#$%&'*+,-./:;<=>?@[]^_`{|}~", '~'.repeat(128)]) {
    const each = writeTicket(key, { ...ticket, user });
    assert.match(each, TICKET);
    assert.match(each, /^[\w.-]{1,256}$/, 'plain in a path and in a query');
    assert.deepEqual(readTicket(key, each), { ...ticket, user });
  }
  assert.equal(saleOfTicket(text), ticket.saleId);
  assert.equal(writeTicket(key, ticket), text, 'the same one each time');
});

test('another key, and every change of a single character, makes it no ticket', () => {
  assert.equal(readTicket(newKey(), text), undefined);
  for (let i = 0; i < text.length; i++)
    for (const other of 'A0_.') {
      const forged = text.slice(0, i) + other + text.slice(i + 1);
      if (forged !== text) assert.equal(readTicket(key, forged), undefined, forged);
    }
  for (const forged of [
    '',
    '.',
    text.slice(0, -1),
    `${text}A`,
    `${text}=`,
    ` ${text}`,
    text.replace('.17.', '.017.'),
  ])
    assert.equal(readTicket(key, forged), undefined, forged);
});
