import { readKeyFile, writeKeyFile } from '../../files/key-files.js';
import { parsePublicKey, type PublicKey } from '../../domain/keys.js';
import { CliError, hasCode } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import type { Session } from '../session.js';
import { inert } from '../text/inert.js';

/** `keys new FILE`: a private key for its owner alone; prints the public half, which goes into roster.yaml. Never overwrites. */
export async function newKey(session: Session, file: string): Promise<ExitCode> {
  try {
    const { key } = await writeKeyFile(file);
    tell(session, key, [`private key written to ${file}: keep it to yourself`, 'for roster.yaml:']);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new CliError('file_exists', `${file} exists already, and a key is never overwritten`, 'Choose another name.');
  }
  return EXIT.ok;
}

/** `keys show FILE`: the public half of a private key, as roster.yaml writes it. */
export async function showKey(session: Session, file: string): Promise<ExitCode> {
  tell(session, await publicKeyOf(file), []);
  return EXIT.ok;
}

/** `keys id FILE-OR-KEY`: the id that signatures and decisions name a key by. */
export async function keyId(session: Session, fileOrKey: string): Promise<ExitCode> {
  const key = parsePublicKey(fileOrKey) ?? (await publicKeyOf(fileOrKey));
  session.answer({ keyId: key.id, key: key.text }, [key.id]);
  return EXIT.ok;
}

function tell(session: Session, key: PublicKey, before: readonly string[]): void {
  for (const line of before) session.hint(line);
  session.answer({ key: key.text, keyId: key.id }, [key.text]);
}

async function publicKeyOf(file: string): Promise<PublicKey> {
  try {
    return (await readKeyFile(file)).key;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(
      'key_invalid',
      `${inert(file)} is neither a private key file nor a public key (${inert(why)})`,
      'Make a key: keyturn keys new FILE',
    );
  }
}
