import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signer } from '../domain/dsse.js';
import { holderOf, type Roster } from '../domain/roster.js';
import { readKeyFile, signerFrom } from '../files/key-files.js';
import { secretOf } from '../files/secrets.js';

/** Who an executor is: the roster entry with the key of `KEYTURN_EXECUTOR_KEY`, else of `.keyturn/keys`. Throws where there is none. */
export async function executorIdentity(
  roster: Roster,
  dir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ name: string; signer: Signer }> {
  const given = secretOf('KEYTURN_EXECUTOR_KEY', env);
  const folder = join(dir, '.keyturn', 'keys');
  const signers: Signer[] = given === undefined ? [] : [signerFrom(given.text, given.from)];
  if (given === undefined && existsSync(folder)) {
    for (const file of (await readdir(folder)).filter((each) => /^executor-.*\.key$/.test(each)).sort())
      signers.push(await readKeyFile(join(folder, file)));
  }
  for (const signer of signers) {
    const holder = holderOf(roster, signer.key.id);
    if (holder?.kind === 'executor') return { name: holder.name, signer };
  }
  throw new Error(
    `No executor in roster.yaml has ${given === undefined ? `a key in ${folder}` : `the key of ${given.from}`}. Add it under executors, or set KEYTURN_EXECUTOR_KEY.`,
  );
}
