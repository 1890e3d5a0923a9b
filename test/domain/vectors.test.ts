import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { fromHex, toHex, utf8 } from '../../src/domain/bytes.js';
import { readDecision } from '../../src/domain/admit.js';
import {
  digestOfSigned,
  PAYLOAD_TYPES,
  preAuthEncoding,
  readPayload,
  signedSchema,
  signerOf,
  verifySigned,
  type ObjectKind,
  type Signed,
} from '../../src/domain/dsse.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { canonicalize } from '../../src/domain/json.js';
import { parsePublicKey, type PublicKey } from '../../src/domain/keys.js';
import { answerSchema } from '../../src/domain/objects/answer.js';
import { decisionSchema } from '../../src/domain/objects/decision.js';
import { entrySchema } from '../../src/domain/objects/entry.js';
import { envelopeSchema } from '../../src/domain/objects/envelope.js';
import { manifestSchema } from '../../src/domain/objects/manifest.js';
import { backupSchema, restoreSchema } from '../../src/domain/objects/restore.js';
import { requestSchema } from '../../src/domain/objects/request.js';
import { reviewSchema } from '../../src/domain/objects/review.js';
import { cancelSchema, freezeSchema, resolveSchema, thawSchema } from '../../src/domain/objects/stop.js';
import { viewDigestOf, viewV1 } from '../../src/domain/view/v1.js';
import { vectors } from '../helpers/vectors.js';

const about = z.string();
const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

describe('DSSE', () => {
  const dsse = vectors(
    'dsse',
    z.strictObject({
      about,
      payloadTypes: z.record(z.string(), z.string()),
      preAuthEncoding: z.array(z.strictObject({ payloadType: z.string(), payload: z.string(), text: z.string(), hex: z.string() })),
    }),
  );
  test.each(dsse.preAuthEncoding)('pre-authentication encoding of $text', ({ payloadType, payload, text, hex }) => {
    expect(toHex(preAuthEncoding(payloadType, utf8(payload)))).toBe(hex);
    expect(Buffer.from(hex, 'hex').toString('utf8')).toBe(text);
  });
  test('the encoding of the specification itself', () => {
    expect(Buffer.from(preAuthEncoding('http://example.com/HelloWorld', utf8('hello world'))).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });
  test('payload types: one a kind, never changed', () => {
    expect(PAYLOAD_TYPES).toEqual(dsse.payloadTypes);
    expect(new Set(Object.values(PAYLOAD_TYPES)).size).toBe(Object.keys(PAYLOAD_TYPES).length);
  });
});

describe('keys', () => {
  const keys = vectors(
    'keys',
    z.strictObject({
      about,
      ed25519: z.array(
        z.strictObject({
          name: z.string(),
          seed: z.string(),
          publicKey: z.string(),
          message: z.string(),
          signature: z.string(),
          text: z.string(),
          keyId: z.string(),
        }),
      ),
      lowOrder: z.array(z.strictObject({ name: z.string(), publicKey: z.string(), text: z.string() })).length(8),
      refused: z.array(z.strictObject({ name: z.string(), text: z.string() })),
    }),
  );

  test.each(keys.ed25519)('$name: key, id and signature', ({ seed, publicKey, message, signature, text, keyId }) => {
    const signer = signerOf(fromHex(seed));
    expect(toHex(signer.key.raw)).toBe(publicKey);
    expect(signer.key.text).toBe(text);
    expect(parsePublicKey(text)).toEqual(signer.key);
    expect(signer.key.id).toBe(keyId);
    expect(sha256(fromHex(publicKey)).slice(0, 32)).toBe(keyId);
    expect(toHex(ed25519.sign(fromHex(message), fromHex(seed)))).toBe(signature);
    expect(ed25519.verify(fromHex(signature), fromHex(message), fromHex(publicKey), { zip215: false })).toBe(true);
  });

  test.each(keys.lowOrder)('$name: $publicKey never gets in (attack case 42)', ({ text }) => {
    expect(parsePublicKey(text)).toBeUndefined();
  });

  /** R = the identity, S = 0: the one signature a low-order key makes of everything, if the verifier lets it. */
  test.each(keys.lowOrder)('$name: $publicKey verifies nothing, even if it did get in', ({ publicKey, text }) => {
    const raw = fromHex(publicKey);
    const key: PublicKey = { algorithm: 'ed25519', id: signerOf(new Uint8Array(32)).key.id, raw, text };
    const constant = Buffer.alloc(64);
    constant[0] = 1;
    const messages = Array.from({ length: 64 }, (_, i) => `message ${i}`);
    const lenient = messages.filter((message) =>
      ed25519.verify(constant, preAuthEncoding(PAYLOAD_TYPES.decision, utf8(message)), raw, { zip215: true }),
    );
    const verified = messages.filter((message) =>
      verifySigned(
        'decision',
        {
          payloadType: PAYLOAD_TYPES.decision,
          payload: Buffer.from(message).toString('base64url'),
          signatures: [{ keyid: key.id, sig: constant.toString('base64url') }],
        },
        key,
      ),
    );
    expect(lenient.length).toBe(64);
    expect(verified).toEqual([]);
  });

  test.each(keys.refused)('refused: $name', ({ text }) => {
    expect(parsePublicKey(text)).toBeUndefined();
  });

  test.each([0, 31, 33, 64])('a seed of %i bytes makes no signer', (length) => {
    expect(() => signerOf(new Uint8Array(length))).toThrow(RangeError);
  });
});

describe('action ids', () => {
  const { actionIds } = vectors(
    'ids',
    z.strictObject({
      about,
      actionIds: z.array(z.strictObject({ deployment: z.string(), agent: z.string(), idempotencyKey: z.string(), id: z.string() })),
    }),
  );
  test.each(actionIds)('$id', ({ deployment, agent, idempotencyKey, id }) => {
    expect(actionIdOf(deployment, agent, idempotencyKey)).toBe(id);
  });
  test('no two of them are one, however the parts are cut', () => {
    const cuts = [...actionIds.map(({ id }) => id), actionIdOf('a', 'bc', 'd'), actionIdOf('ab', 'c', 'd'), actionIdOf('a', 'b', 'cd')];
    expect(new Set(cuts).size).toBe(cuts.length);
  });
});

const SCHEMAS: Partial<Record<ObjectKind, z.ZodType>> = {
  request: requestSchema,
  envelope: envelopeSchema,
  decision: decisionSchema,
  cancel: cancelSchema,
  freeze: freezeSchema,
  thaw: thawSchema,
  resolve: resolveSchema,
  backup: backupSchema,
  restore: restoreSchema,
  review: reviewSchema,
  entry: entrySchema,
  answer: answerSchema,
  manifest: manifestSchema,
};
const golden = vectors(
  'objects',
  z.strictObject({
    about,
    seed: z.string(),
    key: z.string(),
    objects: z.array(
      z.strictObject({
        name: z.string(),
        kind: z.enum(Object.keys(PAYLOAD_TYPES) as [ObjectKind, ...ObjectKind[]]),
        object: z.record(z.string(), z.unknown()),
        canonical: z.string(),
        digest: z.string(),
        sig: z.string(),
      }),
    ),
  }),
);

describe('objects', () => {
  const signer = signerOf(fromHex(golden.seed));

  test.each(golden.objects)('$name: bytes, digest, signature', ({ kind, object, canonical, digest, sig }) => {
    expect(signer.key.text).toBe(golden.key);
    expect(SCHEMAS[kind]?.parse(object)).toEqual(object);
    expect(canonicalize(object)).toBe(canonical);
    expect(sha256(canonical)).toBe(digest);
    const signed = signer.sign(kind, object);
    expect(signed).toEqual({
      payloadType: PAYLOAD_TYPES[kind],
      payload: Buffer.from(canonical).toString('base64url'),
      signatures: [{ keyid: signer.key.id, sig }],
    });
    expect(digestOfSigned(signed)).toBe(digest);
    expect(readPayload(kind, signed)).toEqual(object);
    expect(verifySigned(kind, signed, signer.key)).toBe(true);
  });

  test.each(golden.objects)('$name: a member more, a member less, or another version is another object', ({ kind, object }) => {
    const schema = SCHEMAS[kind];
    expect(schema?.safeParse({ ...object, extra: 'approved' }).success).toBe(false);
    expect(schema?.safeParse({ ...object, v: 2 }).success).toBe(false);
    expect(schema?.safeParse(Object.fromEntries(Object.entries(object).filter(([key]) => key !== 'v'))).success).toBe(false);
  });

  test.each(golden.objects)('$name: passes as no other kind (attack case 40)', ({ kind, object }) => {
    const signed = signer.sign(kind, object);
    for (const other of Object.keys(PAYLOAD_TYPES) as ObjectKind[]) {
      if (other === kind) continue;
      expect(readPayload(other, signed)).toBeUndefined();
      expect(verifySigned(other, signed, signer.key)).toBe(false);
      expect(verifySigned(other, { ...signed, payloadType: PAYLOAD_TYPES[other] }, signer.key)).toBe(false);
    }
  });

  test('every kind of entry and every verdict has one', () => {
    const names = (kind: ObjectKind, member: string): unknown[] =>
      golden.objects.filter((each) => each.kind === kind).map(({ object }) => object[member]);
    expect(new Set(names('entry', 'kind'))).toEqual(new Set(entrySchema.options.map((option) => option.shape.kind.value)));
    expect(new Set(names('decision', 'verdict'))).toEqual(new Set(decisionSchema.options.map((option) => option.shape.verdict.value)));
  });
});

describe('view v1 is kept for ever', () => {
  const { views } = vectors(
    'view-v1',
    z.strictObject({
      about,
      views: z.array(z.strictObject({ name: z.string(), envelope: z.string(), view: z.unknown(), digest: z.string() })),
    }),
  );
  test.each(views)('$name', ({ envelope: of, view, digest }) => {
    const found = golden.objects.find((each) => each.digest === of);
    const envelope = envelopeSchema.parse(found?.object);
    expect(viewV1(envelope)).toEqual(view);
    expect(viewDigestOf(envelope)).toBe(digest);
    expect(sha256(canonicalize(view))).toBe(digest);
  });
});

describe('signed objects that are none', () => {
  const named = z.array(z.strictObject({ name: z.string(), signed: z.unknown() }));
  const refused = vectors(
    'signed-refused',
    z.strictObject({ about, key: z.string(), good: signedSchema, signature: named, payload: named, shape: named }),
  );
  const key = parsePublicKey(refused.key);
  const verifies = (signed: Signed): boolean => key !== undefined && verifySigned('decision', signed, key);

  test('the good one verifies and reads as a decision, so that the others prove something', () => {
    expect(verifies(refused.good)).toBe(true);
    expect(readDecision(refused.good)?.decision.verdict).toBe('approve');
  });
  test.each(refused.signature)('signature: $name', ({ signed }) => {
    expect(verifies(signedSchema.parse(signed))).toBe(false);
  });
  test.each(refused.payload)('payload: $name', ({ signed }) => {
    expect(verifies(signedSchema.parse(signed))).toBe(true);
    expect(readDecision(signedSchema.parse(signed))).toBeUndefined();
  });
  test.each(refused.shape)('shape: $name', ({ signed }) => {
    expect(signedSchema.safeParse(signed).success).toBe(false);
  });
  test('a decision larger than 48 KiB is not read', () => {
    expect(readDecision({ ...refused.good, payload: 'A'.repeat(65_540) })).toBeUndefined();
  });
});
