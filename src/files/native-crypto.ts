import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { useEd25519, type Ed25519 } from '../domain/ed25519.js';
import { useSha256 } from '../domain/hash.js';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const MAX_KEYS = 1_000;

/** Key objects are made once a key: making one costs more than a signature. Bounded: a flood of unknown keys empties it. */
function remembered(make: (raw: Uint8Array) => KeyObject): (raw: Uint8Array) => KeyObject {
  const known = new Map<string, KeyObject>();
  return (raw) => {
    const name = Buffer.from(raw).toString('base64');
    const found = known.get(name) ?? make(raw);
    if (known.size >= MAX_KEYS) known.clear();
    known.set(name, found);
    return found;
  };
}
const privateKey = remembered((seed) => createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' }));
const publicKey = remembered((raw) => createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' }));

/** OpenSSL's Ed25519, cofactorless: whatever it takes, the portable one takes too. */
export const nativeEd25519: Ed25519 = {
  sign: (message, seed) => new Uint8Array(sign(null, message, privateKey(seed))),
  verify: (signature, message, raw) => verify(null, message, publicKey(raw), signature),
};

export const nativeSha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());

/** Called at the start of every process that is not a sandbox. */
export function useNativeCrypto(): void {
  useEd25519(nativeEd25519);
  useSha256(nativeSha256);
}
