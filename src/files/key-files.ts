import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromBase64Url, toBase64Url } from '../domain/bytes.js';
import { signerOf, type Signer } from '../domain/dsse.js';

const PREFIX = 'keyturn-ed25519-private:';

/** A private key as text: in a file readable by its owner alone, or in a variable. */
export const newPrivateKey = (): string => PREFIX + toBase64Url(randomBytes(32));

/** Throws `RangeError` on anything that is not a private key of Keyturn; the text itself is never part of the message. */
export function signerFrom(text: string, where: string): Signer {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) throw new RangeError(`${where} holds no Keyturn private key (it begins with ${PREFIX})`);
  try {
    return signerOf(fromBase64Url(trimmed.slice(PREFIX.length)));
  } catch {
    throw new RangeError(`the private key in ${where} is damaged`);
  }
}

export async function readKeyFile(path: string): Promise<Signer> {
  return signerFrom(await readFile(path, 'utf8'), path);
}

/** Never overwrites. Returns the signer of the new key. */
export async function writeKeyFile(path: string, text: string = newPrivateKey()): Promise<Signer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${text}\n`, { mode: 0o600, flag: 'wx' });
  return signerFrom(text, path);
}
