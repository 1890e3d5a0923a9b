import { createHash, createPrivateKey, createPublicKey, createSign, type KeyObject } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { canonicalBytes } from '../../src/domain/json.js';
import { PAYLOAD_TYPES, preAuthEncoding, type ObjectKind, type Signed } from '../../src/domain/dsse.js';
import { parsePublicKey, passkeyText, type PublicKey } from '../../src/domain/keys.js';

export const RP = { rpId: 'localhost', origins: ['http://localhost:7878'] };
const base64Url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const sha256 = (bytes: Uint8Array | string): Buffer => createHash('sha256').update(bytes).digest();

/** What an authenticator and a browser put around a challenge; each member as an attacker would have it. */
export interface AssertionTweaks {
  readonly flags?: number;
  readonly counter?: number;
  readonly rpId?: string;
  readonly authenticatorTail?: Uint8Array;
  /** Members in place of, or beside, the honest ones; undefined leaves one out. */
  readonly client?: Readonly<Record<string, unknown>>;
  /** The whole text instead. */
  readonly clientText?: (honest: string) => string;
}
export const UP = 0x01;
export const UV = 0x04;

/** A software passkey: a P-256 key that signs what WebAuthn signs, DER by node:crypto. The same word gives the same key. */
export class Authenticator {
  readonly credentialId: Uint8Array;
  readonly key: PublicKey;
  private readonly secret: KeyObject;

  constructor(word: string) {
    const scalar = sha256(`keyturn test passkey ${word}`);
    const point = p256.getPublicKey(scalar, false);
    this.credentialId = sha256(`credential ${word}`).subarray(0, 20);
    const jwk = { kty: 'EC', crv: 'P-256', d: base64Url(scalar), x: base64Url(point.slice(1, 33)), y: base64Url(point.slice(33)) };
    this.secret = createPrivateKey({ key: jwk, format: 'jwk' });
    const text = passkeyText(this.credentialId, point);
    const key = parsePublicKey(text);
    if (key === undefined) throw new Error(`not a key: ${text}`);
    this.key = key;
  }

  /** The SPKI by node:crypto, to compare with. */
  get spki(): Uint8Array {
    return createPublicKey(this.secret).export({ type: 'spki', format: 'der' });
  }
  /** The public key as COSE, for other libraries. */
  get cose(): Uint8Array<ArrayBuffer> {
    const { raw } = this.key;
    const head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
    return Uint8Array.from([...head, ...raw.slice(1, 33), 0x22, 0x58, 0x20, ...raw.slice(33)]);
  }

  /** Signs a payload of a kind, as a browser at the web desk would. */
  sign(kind: ObjectKind, value: unknown, tweaks: AssertionTweaks = {}): Signed {
    const payload = canonicalBytes(value);
    const challenge = base64Url(sha256(preAuthEncoding(PAYLOAD_TYPES[kind], payload)));
    const { authenticatorData, clientDataJSON, signature } = this.assert(challenge, tweaks);
    return {
      payloadType: PAYLOAD_TYPES[kind],
      payload: base64Url(payload),
      signatures: [
        {
          keyid: this.key.id,
          sig: base64Url(signature),
          passkey: { authenticatorData: base64Url(authenticatorData), clientDataJSON: base64Url(clientDataJSON) },
        },
      ],
    };
  }

  private assert(challenge: string, tweaks: AssertionTweaks): { authenticatorData: Buffer; clientDataJSON: Buffer; signature: Buffer } {
    const {
      flags = UP | UV,
      counter = 1,
      rpId = RP.rpId,
      authenticatorTail = new Uint8Array(),
      client = {},
      clientText = (text) => text,
    } = tweaks;
    const counted = Buffer.alloc(5);
    counted.writeUInt8(flags, 0);
    counted.writeUInt32BE(counter, 1);
    const authenticatorData = Buffer.concat([sha256(rpId), counted, authenticatorTail]);
    const honest = { type: 'webauthn.get', challenge, origin: RP.origins[0], crossOrigin: false, ...client };
    const clientDataJSON = Buffer.from(clientText(JSON.stringify(honest)));
    const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)]);
    return {
      authenticatorData,
      clientDataJSON,
      signature: createSign('sha256').update(signed).sign({ key: this.secret, dsaEncoding: 'der' }),
    };
  }
}

/** The other signature of the same bytes: n - s in place of s. */
export function twinOf(signed: Signed): Signed {
  const [signature] = signed.signatures;
  if (signature === undefined) throw new Error('unsigned');
  const { r, s } = p256.Signature.fromBytes(Buffer.from(signature.sig, 'base64url'), 'der');
  const twin = new p256.Signature(r, p256.Point.CURVE().n - s).toBytes('der');
  return { ...signed, signatures: [{ ...signature, sig: base64Url(twin) }] };
}
/** The same object with other signature bytes. */
export function withSignature(signed: Signed, change: (der: Buffer) => Uint8Array): Signed {
  return {
    ...signed,
    signatures: signed.signatures.map((each) => ({ ...each, sig: base64Url(change(Buffer.from(each.sig, 'base64url'))) })),
  };
}
