import { describe, expect, test } from '@jest/globals';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import { z } from 'zod';
import { admit, ringOf } from '../../src/domain/admit.js';
import { fromBase64Url } from '../../src/domain/bytes.js';
import { digestOfSigned, payloadBytes, preAuthEncoding, signedSchema, verifySigned, type Signed } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { sha256Bytes } from '../../src/domain/hash.js';
import { parsePublicKey, passkeyText } from '../../src/domain/keys.js';
import { sealedPeopleSchema } from '../../src/domain/objects/entry.js';
import { Review } from '../../src/domain/review/review.js';
import { useNativeCrypto } from '../../src/files/native-crypto.js';
import { Authenticator, RP, twinOf, UP, UV, withSignature, type AssertionTweaks } from '../helpers/authenticator.js';
import { readersRoster } from '../helpers/flips.js';
import { HandLedger, OPENED, seal, sealedPeople } from '../helpers/hand-made.js';
import { approve, nonce, type SealedRevision } from '../helpers/messages.js';
import { keyOfPerson } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';
import { vectors } from '../helpers/vectors.js';

const ANA = new Authenticator('ana');
const REVISION = seal({ stages: [{ name: 'finance', from: ['ana', 'ben'], quorum: 1, remind: [], escalate: [] }] });
const PEOPLE = sealedPeopleSchema.parse([
  { person: 'ana', keys: [{ key: ANA.key.text }, { key: keyOfPerson('ana').key.text }] },
  ...sealedPeople(['ben']),
]);
const RING = ringOf(PEOPLE);

/** Ana's approval by her passkey. */
function vote(tweaks: AssertionTweaks = {}, { envelope, digest, view }: SealedRevision = REVISION): Signed {
  const { deployment, actionId, revision, sealedAt: issuedAt } = envelope;
  return ANA.sign(
    'decision',
    { v: 1, deployment, actionId, digest, revision, view, person: 'ana', keyId: ANA.key.id, nonce: nonce(), issuedAt, verdict: 'approve' },
    tweaks,
  );
}
const verifies = (signed: Signed, party = RP): boolean => verifySigned('decision', signed, ANA.key, party);

/** The same assertion before another library. */
async function oracle(signed: Signed): Promise<boolean> {
  const signature = signed.signatures[0];
  if (signature?.passkey === undefined) return false;
  const id = Buffer.from(ANA.credentialId).toString('base64url');
  const expectedChallenge = Buffer.from(sha256Bytes(preAuthEncoding(signed.payloadType, payloadBytes(signed)))).toString('base64url');
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: { ...signature.passkey, signature: signature.sig },
      },
      expectedChallenge,
      expectedOrigin: RP.origins,
      expectedRPID: RP.rpId,
      credential: { id, publicKey: ANA.cose, counter: 0 },
    });
    return verified;
  } catch {
    return false;
  }
}

describe('an honest assertion', () => {
  const honest: Record<string, AssertionTweaks> = {
    'as browsers make it': {},
    'without crossOrigin': { client: { crossOrigin: undefined } },
    'with members of a later browser': { client: { other_keys_can_be_added_here: 'do not compare clientDataJSON against a template' } },
    'of a synced passkey': { flags: UP | UV | 0x08 | 0x10 },
    'with extension data': { flags: UP | UV | 0x80, authenticatorTail: Uint8Array.of(0xa0) },
  };
  test.each(Object.keys(honest))('%s: both say yes', async (name) => {
    const signed = vote(honest[name]);
    expect(verifies(signed)).toBe(true);
    expect(await oracle(signed)).toBe(true);
  });

  test('a counter that goes back is not looked at: the ledger consumes once, whatever a cloned key does', async () => {
    expect(verifies(vote({ counter: 0 }))).toBe(true);
    expect(verifies(vote({ counter: 9 }))).toBe(true);
  });

  test('it counts as a vote, and its bytes are golden', () => {
    expect(admit(vote(), [REVISION], RING, OPENED)).toMatchObject({ ok: true, decision: { person: 'ana' } });
    const golden = vectors(
      'passkey',
      z.strictObject({
        about: z.string(),
        key: z.string(),
        keyId: z.string(),
        rpId: z.string(),
        origin: z.string(),
        good: signedSchema,
        twin: signedSchema,
      }),
    );
    const key = parsePublicKey(golden.key);
    const party = { rpId: golden.rpId, origins: [golden.origin] };
    expect(key?.id).toBe(golden.keyId);
    for (const signed of [golden.good, golden.twin]) expect(key !== undefined && verifySigned('decision', signed, key, party)).toBe(true);
    expect(digestOfSigned(golden.twin)).toBe(digestOfSigned(golden.good));
    expect(golden.twin).not.toEqual(golden.good);
  });

  test('the key is the SPKI that node:crypto exports', () => {
    expect(ANA.key.text.split(':')[2]).toBe(Buffer.from(ANA.spki).toString('base64url'));
  });
});

describe('attack case 44: refused each, here and by the oracle', () => {
  const wrong: Record<string, AssertionTweaks> = {
    'user not verified': { flags: UP },
    'user not present': { flags: UV },
    'no flags': { flags: 0 },
    'another origin': { client: { origin: 'http://localhost:7879' } },
    'an origin that begins alike': { client: { origin: 'http://localhost:7878.evil.example' } },
    'an origin in upper case': { client: { origin: 'HTTP://LOCALHOST:7878' } },
    'no origin': { client: { origin: undefined } },
    'another rpId': { rpId: 'evil.example' },
    'a registration': { client: { type: 'webauthn.create' } },
    'no type': { client: { type: undefined } },
    'another challenge': { client: { challenge: Buffer.alloc(32).toString('base64url') } },
    'a padded challenge': { clientText: (text) => text.replace(/"challenge":"([^"]*)"/, '"challenge":"$1="') },
    'no challenge': { client: { challenge: undefined } },
    'not JSON': { clientText: () => 'webauthn.get' },
    'an array': { clientText: (text) => `[${text}]` },
  };
  test.each(Object.keys(wrong))('%s', async (name) => {
    const signed = vote(wrong[name]);
    expect(verifies(signed)).toBe(false);
    expect(await oracle(signed)).toBe(false);
    expect(admit(signed, [REVISION], RING, OPENED)).toMatchObject({ ok: false, check: 6, refusal: { code: 'signature_invalid' } });
  });

  test('in a frame of another site', async () => {
    const framed = vote({ client: { crossOrigin: true, topOrigin: 'https://evil.example' } });
    expect(verifies(framed)).toBe(false);
    expect(await oracle(framed)).toBe(false);
    for (const crossOrigin of [true, 'false', null, 0]) expect(verifies(vote({ client: { crossOrigin } }))).toBe(false);
  });

  test('a member twice, so that two parsers read two origins', () => {
    const twice = (text: string): string => text.replace('"origin":', '"origin":"http://evil.example","origin":');
    expect(verifies(vote({ clientText: twice }))).toBe(false);
  });

  test('an assertion made for another decision, or no relying party at all', () => {
    const [a, b] = [vote(), vote()];
    expect(verifies({ ...a, signatures: b.signatures })).toBe(false);
    expect(verifySigned('decision', a, ANA.key)).toBe(false);
    expect(verifies(a, { ...RP, rpId: 'example.com' })).toBe(false);
    expect(verifies(a, { ...RP, origins: [] })).toBe(false);
  });

  test('truncated, lengthened or changed anywhere', async () => {
    const signed = vote();
    const [signature] = signed.signatures;
    const passkey = signature?.passkey;
    if (signature === undefined || passkey === undefined) throw new Error('no assertion');
    const changed = (which: 'authenticatorData' | 'clientDataJSON', change: (bytes: Buffer) => Uint8Array): Signed => {
      const bytes = change(Buffer.from(passkey[which], 'base64url'));
      return { ...signed, signatures: [{ ...signature, passkey: { ...passkey, [which]: Buffer.from(bytes).toString('base64url') } }] };
    };
    for (const which of ['authenticatorData', 'clientDataJSON'] as const) {
      const { length } = fromBase64Url(passkey[which]);
      expect(verifies(changed(which, (bytes) => bytes))).toBe(true);
      for (let at = 0; at < length; at++) {
        expect(verifies(changed(which, (bytes) => bytes.subarray(0, at)))).toBe(false);
        expect(verifies(changed(which, (bytes) => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)))))).toBe(false);
      }
      expect(verifies(changed(which, (bytes) => Buffer.concat([bytes, Buffer.from([0])])))).toBe(false);
    }
  });
});

describe('attack case 43: algorithms and twins', () => {
  test('the high-S twin is the same decision: it verifies, and takes one seat', async () => {
    const low = vote();
    const high = twinOf(low);
    expect(high.signatures[0]?.sig).not.toBe(low.signatures[0]?.sig);
    expect([verifies(high), await oracle(high)]).toEqual([true, true]);
    expect(digestOfSigned(high)).toBe(digestOfSigned(low));

    const review = new Review(REVISION.id);
    review.open({ envelope: REVISION.signed, digest: REVISION.digest, view: REVISION.view, rejections: [] }, PEOPLE, OPENED);
    expect(review.receive(low, OPENED).fate).toEqual({ state: 'counted' });
    expect(review.receive(high, OPENED).fate).toEqual({ state: 'counted' });
    expect(review.count().approvals.length).toBe(1);
    expect(review.signedDecisions()).toEqual([low]);
  });

  test('a passkey and a key file of one person are one seat (attack case 7)', () => {
    const review = new Review(REVISION.id);
    review.open({ envelope: REVISION.signed, digest: REVISION.digest, view: REVISION.view, rejections: [] }, PEOPLE, OPENED);
    expect(review.receive(vote(), OPENED).fate).toEqual({ state: 'counted' });
    expect(review.receive(approve('ana', REVISION), OPENED).fate).toMatchObject({ state: 'refused', code: 'seat_taken' });
  });

  test('a passkey signs nothing without an assertion, an Ed25519 key nothing with one', () => {
    const signed = vote();
    const bare = { ...signed, signatures: signed.signatures.map(({ keyid, sig }) => ({ keyid, sig })) };
    expect(verifies(bare)).toBe(false);
    const ed = approve('ana', REVISION);
    const dressed = { ...ed, signatures: ed.signatures.map((each) => ({ ...each, passkey: signed.signatures[0]?.passkey })) };
    expect(verifySigned('decision', ed, keyOfPerson('ana').key, RP)).toBe(true);
    expect(verifySigned('decision', dressed, keyOfPerson('ana').key, RP)).toBe(false);
    expect(verifySigned('decision', signed, keyOfPerson('ana').key, RP)).toBe(false);
    expect(verifies({ ...ed, signatures: ed.signatures.map((each) => ({ ...each, keyid: ANA.key.id })) })).toBe(false);
  });

  test('DER junk: nothing but the one encoding', () => {
    const signed = vote();
    const tries: Record<string, (der: Buffer) => Uint8Array> = {
      'raw r and s': (der) => Buffer.concat([der.subarray(4, 36), der.subarray(-32)]),
      'a byte at the end': (der) => Buffer.concat([der, Buffer.from([0])]),
      'a byte less': (der) => der.subarray(0, -1),
      nothing: () => Buffer.alloc(0),
      'long form of the length': (der) => Buffer.concat([der.subarray(0, 1), Buffer.from([0x81]), der.subarray(1)]),
      'indefinite length': (der) => Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(2), Buffer.from([0, 0])]),
      'a set instead of a sequence': (der) => Buffer.concat([Buffer.from([0x31]), der.subarray(1)]),
      'a leading zero in r': (der) => Buffer.from([0x30, (der[1] ?? 0) + 1, 0x02, (der[3] ?? 0) + 1, 0, ...der.subarray(4)]),
      'r and s zero': () => Buffer.from([0x30, 6, 2, 1, 0, 2, 1, 0]),
      'r and s one': () => Buffer.from([0x30, 6, 2, 1, 1, 2, 1, 1]),
    };
    expect(verifies(withSignature(signed, (der) => der))).toBe(true);
    expect(Object.keys(tries).filter((name) => verifies(withSignature(signed, tries[name] ?? ((der) => der))))).toEqual([]);
  });

  test('keys that are none: compressed, off the curve, short credential ids, another curve, stray bits', () => {
    const { raw } = ANA.key;
    const compressed = Uint8Array.of(2 + ((raw[64] ?? 0) & 1), ...raw.slice(1, 33));
    const off = Uint8Array.from(raw, (byte, i) => (i === 64 ? byte ^ 1 : byte));
    const [, credential = '', spki = ''] = ANA.key.text.split(':');
    const secp256k1 = Buffer.from(spki, 'base64url').toString('hex').replace('06082a8648ce3d030107', '06052b8104000a');
    const texts = [
      passkeyText(ANA.credentialId, compressed),
      passkeyText(ANA.credentialId, off),
      passkeyText(ANA.credentialId, new Uint8Array(65)),
      passkeyText(ANA.credentialId.subarray(0, 15), raw),
      passkeyText(new Uint8Array(1024), raw),
      `passkey:${credential}:${Buffer.from(secp256k1, 'hex').toString('base64url')}`,
      `passkey:${credential}=:${spki}`,
      `passkey:${credential}:${spki}:`,
      `passkey::${spki}`,
      `es256:${credential}:${spki}`,
    ];
    expect(texts.filter((text) => parsePublicKey(text) !== undefined)).toEqual([]);
    expect(parsePublicKey(ANA.key.text)).toEqual(ANA.key);
  });

  test('one point under two credential ids is one key (attack case 6)', () => {
    const other = passkeyText(new Uint8Array(20), ANA.key.raw);
    expect(parsePublicKey(other)?.id).toBe(ANA.key.id);
    const people = sealedPeopleSchema.parse([
      { person: 'ana', keys: [{ key: ANA.key.text }] },
      { person: 'ben', keys: [{ key: other }] },
    ]);
    expect(() => ringOf(people)).toThrow(RangeError);
  });
});

describe('evidence with a passkey vote', () => {
  const cast = vote();
  const file = (signed: Signed): Uint8Array => {
    const ledger = new HandLedger(REVISION.id);
    ledger.sealed(REVISION, 'request', OPENED, PEOPLE);
    ledger.ran(REVISION, [digestOfSigned(signed)], OPENED);
    return buildEvidence(snapshotOf({ id: REVISION.id, entries: ledger.entries, revisions: [REVISION], decisions: [signed] }));
  };
  const roster = readersRoster({ people: { ana: `{ name: ana, keys: ['${ANA.key.text}'] }` } });

  test('verifies, also by its high-S twin: the same decision of the same person', () => {
    for (const signed of [cast, twinOf(cast)])
      expect(verifyEvidence(file(signed), roster)).toMatchObject({ ok: true, counted: [{ person: 'ana', digest: digestOfSigned(cast) }] });
  });

  test('any byte of the assertion changed: it fails (attack case 81)', () => {
    useNativeCrypto();
    const good = Buffer.from(file(cast));
    const from = good.indexOf('"passkey":');
    const to = good.indexOf('"deployment"', from);
    const survived: number[] = [];
    for (let at = from; at < to; at++) {
      for (const change of [1, 0x20]) {
        const bad = Buffer.from(good);
        bad[at] = (good[at] ?? 0) ^ change;
        if (verifyEvidence(bad, roster).ok) survived.push(at);
      }
    }
    expect(to - from).toBeGreaterThan(300);
    expect(survived).toEqual([]);
  }, 240_000);
});
