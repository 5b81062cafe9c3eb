import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { wordsOf } from '../../console/box-words.ts';
import { metric, quantilesOf, ratesOf } from '../../console/rates.ts';
import { wrongIn } from '../../console/wrong.ts';
import { samplesIn } from '../../src/exposition.ts';
import { createSessions, isOwnPage } from '../../src/http/session.ts';

const valueIn = (cookie: string) => cookie.split(';', 1)[0] as string;

test('a session is good for twelve hours, for this token, as it was made', () => {
  let now = Date.UTC(2026, 0, 1);
  const sessions = createSessions('s3cret', () => now);
  const cookie = sessions.open(true);
  assert.match(cookie, /; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/);
  assert.doesNotMatch(sessions.open(false), /Secure/);
  const session = valueIn(cookie);
  assert.ok(sessions.isGood(session));
  assert.ok(sessions.isGood(`a=1; ${session}; b=2`));
  assert.ok(createSessions('s3cret', () => now).isGood(session), 'every worker knows it');
  assert.equal(createSessions('other', () => now).isGood(session), false);
  const [name, rest] = session.split('=') as [string, string];
  const [until, nonce, mark] = rest.split('.') as [string, string, string];
  const flipped = `${mark[0] === 'A' ? 'B' : 'A'}${mark.slice(1)}`;
  for (const forged of [
    `${name}=${Number(until) + 1}.${nonce}.${mark}`,
    `${name}=${until}.${nonce}.${flipped}`,
    `${name}=${until}.${nonce}.`,
    `x${session}`,
    valueIn(sessions.end(false)),
    '',
  ])
    assert.equal(sessions.isGood(forged), false, forged);
  assert.equal(sessions.isGood(undefined), false);
  now += 12 * 3_600_000;
  assert.equal(sessions.isGood(session), false, 'it is over');
  assert.deepEqual(
    ['s3cret', 's3cre', '', 's3crets'].map((given) => sessions.isToken(given)),
    [true, false, false, false],
  );
});

test('only pages of this host are its own', () => {
  assert.ok(isOwnPage('https://shop.example', 'shop.example'));
  assert.ok(isOwnPage('http://127.0.0.1:8080', '127.0.0.1:8080'));
  for (const origin of [
    undefined,
    'null',
    'https://shop.example.evil',
    'https://evil.example',
    'https://shop.example:8443',
  ])
    assert.equal(isOwnPage(origin, 'shop.example'), false);
  assert.equal(isOwnPage('https://undefined', undefined), false);
});

const figures = (at: number, text: string, durations = {}) => ({
  at,
  samples: [...samplesIn(text)],
  durations,
});

test('rates are differences per second; a service that was started anew has none below zero', () => {
  const before = figures(
    1_000,
    'checkout_attempts_total 100\ncheckout_failure_total{reason="sale_sold_out"} 7\n',
  );
  const now = figures(
    3_000,
    'checkout_attempts_total 300\ncheckout_failure_total{reason="sale_sold_out"} 47\n# HELP x y\nup{a="b",c="d"} 1\n',
  );
  const { checkouts, purchases, refusals } = ratesOf(before, now);
  assert.deepEqual([checkouts, purchases, [...refusals]], [100, 0, [['sale_sold_out', 20]]]);
  assert.equal(ratesOf(now, before).checkouts, 0);
  assert.equal(metric(now, 'up', { c: 'd' }), 1);
  assert.equal(metric(now, 'up', { c: 'e' }), undefined);
});

test('quantiles are those of the requests in between', () => {
  assert.equal(quantilesOf({}, {}), undefined);
  assert.equal(quantilesOf({ 0.1: 5, '+Inf': 5 }, { 0.1: 5, '+Inf': 5 }), undefined);
  const times = quantilesOf({ 0.01: 100, 0.1: 100, '+Inf': 100 }, { 0.01: 150, 0.1: 200, '+Inf': 200 });
  assert.equal(times?.p50, 0.01);
  assert.ok(times && times.p99 > 0.09 && times.p99 < 0.1);
  assert.equal(quantilesOf({}, { 0.1: 0, '+Inf': 3 })?.p99, 0.1, 'longer than the last bucket');
});

test('what is wrong has words and a heading of the runbook', () => {
  const page = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8');
  const fine = figures(
    0,
    'flashsale_dependency_up{dependency="redis"} 1\nflashsale_dependency_up{dependency="postgres"} 1\n',
  );
  assert.deepEqual(wrongIn(fine, fine), []);
  const all = figures(
    1_000_000,
    [
      'flashsale_audit_differences_total 1',
      'flashsale_contradictions_total 1',
      'flashsale_dependency_up{dependency="redis"} 0',
      'flashsale_dependency_up{dependency="postgres"} 0',
      'flashsale_gate_open{sale="S-0000000001"} 0',
      'flashsale_outbox_oldest_age_seconds{sale="S-0000000001"} 11',
      'flashsale_worker_deaths_total 1',
      'flashsale_shed_requests_total{handler="/checkout"} 1',
      'flashsale_audit_last_run_timestamp_seconds 1',
      'flashsale_webhooks_dead 1',
    ].join('\n'),
  );
  const wrong = wrongIn(all, fine);
  assert.equal(wrong.length, 10);
  for (const { runbook } of wrong) assert.match(page, new RegExp(`^## ${runbook}$`, 'm'));
});

test('a line of a box says what it runs, who leads, and that it was not heard', () => {
  const box = {
    id: '5e1f0c9a77d2',
    release: '1.2.3',
    workers: 2,
    leader: true,
    uptime: '1h0m0s',
    silent_s: 0,
  };
  assert.equal(wordsOf(box, true), '5e1f0c9a77d2 (this one): release 1.2.3, 2 workers, up for 1h0m0s, leads');
  assert.equal(
    wordsOf({ ...box, workers: 1, leader: false, silent_s: 7 }, false),
    '5e1f0c9a77d2: release 1.2.3, 1 worker, not heard for 7 s',
  );
});
