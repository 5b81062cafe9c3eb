import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  byKey,
  bySecret,
  claimsOf,
  inS,
  newSigner,
  SECRET,
  type Signer,
  unsigned,
} from '../../campaigns/hardening/tokens.ts';
import { readKeySet } from '../../src/door/key-set.ts';
import { createProof, type Proof } from '../../src/door/proof.ts';
import { type Refusal, Unproven } from '../../src/door/verify.ts';
import { Overloaded, Unavailable } from '../../src/store/errors.ts';

const signers = [newSigner('EdDSA', 'ed'), newSigner('ES256', 'ec'), newSigner('RS256', 'rsa')] as const;
const [ed, ec, rsa] = signers;
const stranger = newSigner('RS256', 'rsa');
const OTHER = 'another secret of thirty-two bytes';

/** The keys as they come from a key set. */
const published = (...keys: readonly Signer[]) =>
  readKeySet(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));

const proofOf = (more: Partial<Parameters<typeof createProof>[0]> = {}): Proof => {
  const proof = createProof({
    secrets: [SECRET],
    hasKeys: true,
    issuer: undefined,
    audience: undefined,
    leewayS: 10,
    onUnknownKey: () => {},
    ...more,
  });
  proof.setKeys(published(...signers));
  return proof;
};
const prove = async (proof: Proof, token: string) => (await proof.prove(`Bearer ${token}`)).user;
const refusedAs = async (proof: Proof, header: string | undefined): Promise<Refusal | undefined> => {
  try {
    await proof.prove(header);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Unproven, String(error));
    return error.refusal;
  }
};

test('a token of each algorithm proves its sub', async () => {
  const proof = proofOf();
  assert.equal(await prove(proof, bySecret(claimsOf('auth0|5f7c'))), 'auth0|5f7c');
  for (const signer of signers) assert.equal(await prove(proof, byKey(signer, claimsOf('ada'))), 'ada');
});

test('the scheme is read in any case, and without kid the only fitting key is meant', async () => {
  const proof = proofOf();
  assert.equal((await proof.prove(`bearer  ${bySecret(claimsOf('ada'))}`)).user, 'ada');
  assert.equal(await prove(proof, byKey(ec, claimsOf('ada'), { kid: undefined })), 'ada');
});

const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string;
const der = rsa.publicKey.export({ type: 'spki', format: 'der' });
const cut = (token: string) => token.slice(0, token.lastIndexOf('.'));
const REFUSED: Record<string, [refusal: Refusal, header: string | undefined]> = {
  'no header': ['missing', undefined],
  'no token': ['malformed', 'Bearer '],
  'another scheme': ['malformed', `Basic ${Buffer.from('ada:1').toString('base64')}`],
  'two tokens': ['malformed', `Bearer ${bySecret(claimsOf('ada'))} ${bySecret(claimsOf('bob'))}`],
  'alg none': ['algorithm', `Bearer ${unsigned({ alg: 'none' }, claimsOf('ada'))}.AAAA`],
  'alg none without a signature': ['malformed', `Bearer ${unsigned({ alg: 'none' }, claimsOf('ada'))}.`],
  'alg NONE': ['algorithm', `Bearer ${unsigned({ alg: 'NoNe' }, claimsOf('ada'))}.AAAA`],
  'no alg': ['malformed', `Bearer ${unsigned({}, claimsOf('ada'))}.AAAA`],
  'an alg that is no text': ['malformed', `Bearer ${unsigned({ alg: ['HS256'] }, claimsOf('ada'))}.AAAA`],
  'HS256 by a public key, as PEM': ['forged', `Bearer ${bySecret(claimsOf('ada'), pem, { kid: 'rsa' })}`],
  'HS256 by a public key, as DER': ['forged', `Bearer ${bySecret(claimsOf('ada'), der, { kid: 'rsa' })}`],
  'HS256 by a public key, as JWK': ['forged', `Bearer ${bySecret(claimsOf('ada'), JSON.stringify(rsa.jwk))}`],
  HS512: ['algorithm', `Bearer ${bySecret(claimsOf('ada'), SECRET, { alg: 'HS512' })}`],
  'RS256 said of a key for ES256': ['unknown_key', `Bearer ${byKey(rsa, claimsOf('ada'), { kid: 'ec' })}`],
  'a key of its own in the header': [
    'forged',
    `Bearer ${byKey(stranger, claimsOf('ada'), { jwk: stranger.jwk, jku: 'https://evil.example' })}`,
  ],
  'an unknown kid': ['unknown_key', `Bearer ${byKey(rsa, claimsOf('ada'), { kid: 'next' })}`],
  'a kid that is a path': ['unknown_key', `Bearer ${byKey(rsa, claimsOf('ada'), { kid: '../../dev/null' })}`],
  'another secret': ['forged', `Bearer ${bySecret(claimsOf('ada'), OTHER)}`],
  'another key of the same kid': ['forged', `Bearer ${byKey(stranger, claimsOf('ada'))}`],
  'a changed claim': [
    'forged',
    `Bearer ${unsigned({ alg: 'HS256', typ: 'JWT' }, claimsOf('eve'))}.${bySecret(claimsOf('ada')).split('.')[2]}`,
  ],
  'a cut signature': ['forged', `Bearer ${bySecret(claimsOf('ada')).slice(0, -4)}`],
  'no signature': ['malformed', `Bearer ${cut(bySecret(claimsOf('ada')))}`],
  'expired beyond the leeway': ['expired', `Bearer ${bySecret(claimsOf('ada', { exp: inS(-11) }))}`],
  'not valid yet beyond the leeway': ['early', `Bearer ${bySecret(claimsOf('ada', { nbf: inS(15) }))}`],
  'no exp': ['incomplete', `Bearer ${bySecret({ sub: 'ada' })}`],
  'an exp that is text': ['incomplete', `Bearer ${bySecret({ sub: 'ada', exp: '9999999999' })}`],
  'no sub': ['incomplete', `Bearer ${bySecret({ exp: inS(60) })}`],
  'a sub that is a number': ['incomplete', `Bearer ${bySecret(claimsOf(7))}`],
  'a sub with a space': ['incomplete', `Bearer ${bySecret(claimsOf('ada b'))}`],
  'a sub with a line break': ['incomplete', `Bearer ${bySecret(claimsOf('ada\n'))}`],
  'a sub with a quote': ['incomplete', `Bearer ${bySecret(claimsOf('ada"'))}`],
  'a sub with a backslash': ['incomplete', `Bearer ${bySecret(claimsOf('a\\b'))}`],
  'a sub of 129 characters': ['incomplete', `Bearer ${bySecret(claimsOf('a'.repeat(129)))}`],
  'an empty sub': ['incomplete', `Bearer ${bySecret(claimsOf(''))}`],
  'a nested token': ['malformed', `Bearer ${bySecret(bySecret(claimsOf('ada')), SECRET, { cty: 'JWT' })}`],
  'an encrypted token': ['malformed', `Bearer ${'eyJhbGciOiJkaXIifQ.a.b.c.d'}`],
  'claims that are an array': ['malformed', `Bearer ${bySecret([claimsOf('ada')])}`],
  'a critical extension': ['malformed', `Bearer ${bySecret(claimsOf('ada'), SECRET, { crit: ['x'], x: 1 })}`],
  'an unencoded payload': [
    'malformed',
    `Bearer ${bySecret(claimsOf('ada'), SECRET, { crit: ['b64'], b64: false })}`,
  ],
  'a huge token': ['malformed', `Bearer ${bySecret(claimsOf('ada', { more: 'x'.repeat(4_096) }))}`],
};
for (const [what, [refusal, header]] of Object.entries(REFUSED))
  test(`${what}: ${refusal}`, async () => {
    assert.equal(await refusedAs(proofOf(), header), refusal);
  });

test('within the leeway a token is good', async () => {
  const proof = proofOf();
  assert.equal(await prove(proof, bySecret(claimsOf('ada', { exp: inS(-5), nbf: inS(5) }))), 'ada');
});

test('issuer and audience are compared where they are configured', async () => {
  const proof = proofOf({ issuer: 'https://id.example', audience: 'shop' });
  const good = { iss: 'https://id.example', aud: ['other', 'shop'] };
  assert.equal(await prove(proof, bySecret(claimsOf('ada', good))), 'ada');
  for (const bad of [
    { iss: 'https://id.example' },
    { aud: 'shop' },
    { ...good, iss: 'https://id.example/' },
    { ...good, aud: 'shop2' },
  ])
    assert.equal(await refusedAs(proof, `Bearer ${bySecret(claimsOf('ada', bad))}`), 'foreign');
});

test('while secrets are rotated each of them is good; without a secret HS256 is not accepted', async () => {
  const proof = proofOf({ secrets: [OTHER, SECRET] });
  for (const secret of [SECRET, OTHER])
    assert.equal(await prove(proof, bySecret(claimsOf('ada'), secret)), 'ada');
  assert.equal(await refusedAs(proof, `Bearer ${bySecret(claimsOf('ada'), `${SECRET}!`)}`), 'forged');
  assert.equal(await refusedAs(proofOf({ secrets: [] }), `Bearer ${bySecret(claimsOf('ada'))}`), 'algorithm');
});

test('a token that was verified is known at once, until it expires', async (t) => {
  const proof = proofOf({ leewayS: 0 });
  const header = `Bearer ${bySecret(claimsOf('ada', { exp: inS(60) }))}`;
  const verifying = proof.prove(header);
  assert.ok(verifying instanceof Promise);
  await verifying;
  assert.deepEqual(proof.prove(header), await proof.prove(header));
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
  assert.equal(await refusedAs(proof, header), 'expired');
});

test('forged tokens are never remembered, and push nobody out', async () => {
  const proof = proofOf();
  const header = `Bearer ${bySecret(claimsOf('ada'))}`;
  await proof.prove(header);
  for (let i = 0; i < 200; i++) await refusedAs(proof, `Bearer ${bySecret(claimsOf(`bot${i}`), OTHER)}`);
  assert.ok(!(proof.prove(header) instanceof Promise));
});

test('tokens of a withdrawn key prove nothing any more; a new key beside the old ones disturbs nobody', async () => {
  const proof = proofOf();
  const header = `Bearer ${byKey(rsa, claimsOf('ada'))}`;
  await proof.prove(header);
  const next = newSigner('RS256', 'next');
  proof.setKeys(published(...signers, next));
  assert.ok(!(proof.prove(header) instanceof Promise));
  assert.equal(await prove(proof, byKey(next, claimsOf('bob'))), 'bob');
  proof.setKeys(published(ed, next));
  assert.equal(await refusedAs(proof, header), 'unknown_key');
});

test('before any key is known a token of one is neither good nor bad', async () => {
  let asked = 0;
  const proof = createProof({
    secrets: [],
    hasKeys: true,
    issuer: undefined,
    audience: undefined,
    leewayS: 0,
    onUnknownKey: () => void asked++,
  });
  await assert.rejects(async () => proof.prove(`Bearer ${byKey(ed, claimsOf('ada'))}`), Unavailable);
  assert.equal(asked, 1);
});

test('past what can wait for verification, requests are refused at once', async () => {
  const proof = proofOf();
  const waiting = Array.from({ length: 1_024 }, (_, i) =>
    proof.prove(`Bearer ${bySecret(claimsOf(`u${i}`))}`),
  );
  assert.throws(() => proof.prove(`Bearer ${bySecret(claimsOf('late'))}`), Overloaded);
  await Promise.all(waiting);
  assert.equal(await prove(proof, bySecret(claimsOf('late'))), 'late');
});

test('of a key set only public parts of usable keys are taken', () => {
  const privateJwk = ed.privateKey.export({ format: 'jwk' });
  const weak = { kty: 'RSA', kid: 'weak', e: 'AQAB', n: Buffer.alloc(128, 255).toString('base64url') };
  const keys = [
    { ...privateJwk, kid: 'private' },
    weak,
    { kty: 'oct', k: 'c2VjcmV0' },
    { ...ec.jwk, use: 'enc' },
    { ...ec.jwk, alg: 'ES384' },
    { ...ec.jwk, x: 'AAAA' },
    { kty: 'EC', crv: 'P-384', x: 'a', y: 'b' },
    null,
    7,
  ];
  const read = readKeySet(JSON.stringify({ keys }));
  assert.deepEqual(read, [{ kty: 'OKP', kid: 'private', crv: 'Ed25519', x: privateJwk.x }]);
  for (const text of [
    '',
    '[]',
    '{}',
    'null',
    '{"keys":{}}',
    '{"keys":[]}',
    JSON.stringify({ keys: keys.slice(1) }),
  ])
    assert.throws(() => readKeySet(text), /^Error: it /, text);
  assert.throws(() => readKeySet(JSON.stringify({ keys: Array(33).fill(ec.jwk) })), /more than 32/);
});
