import { sha256Bytes } from '../../src/domain/hash.js';
import { utf8 } from '../../src/domain/bytes.js';
import { signerOf as signerOfSeed, type Signer } from '../../src/domain/dsse.js';

const known = new Map<string, Signer>();

/** A private key made from a word: the same word, the same key, in every test and process. */
export function signerOf(seed: string): Signer {
  const signer = known.get(seed) ?? signerOfSeed(sha256Bytes(utf8(`keyturn test key ${seed}`)));
  known.set(seed, signer);
  return signer;
}

/** Keys of the fixture: `person:ana`, `agent:ap-agent`, `api`, `executor:bank`. A second key of a person is `person:ana:2`. */
export const keyOfPerson = (person: string): Signer => signerOf(`person:${person}`);
export const AGENT = signerOf('agent:ap-agent');
export const API = signerOf('api');
export const EXECUTOR = signerOf('executor:bank');
