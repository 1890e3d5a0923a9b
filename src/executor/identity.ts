import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signer } from '../domain/dsse.js';
import { holderOf, keyValidAt, type Roster } from '../domain/roster.js';
import { readKeyFile, signerFrom } from '../files/key-files.js';
import { secretOf } from '../files/secrets.js';

/**
 * Who an executor is: the roster entry with the key of `KEYTURN_EXECUTOR_KEY`, else of the first of `.keyturn/keys` whose time it is now: while a key is
 * exchanged for another, both may lie there. Throws where there is none: what a key signs outside its time nobody believes.
 */
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
  const holders = signers.flatMap((signer) => {
    const holder = holderOf(roster, signer.key.id);
    return holder?.kind === 'executor' ? [{ name: holder.name, key: holder.key, signer }] : [];
  });
  const found = holders.find(({ key }) => keyValidAt(key, Date.now()));
  if (found !== undefined) return { name: found.name, signer: found.signer };
  const [outOfTime] = holders;
  if (outOfTime !== undefined)
    throw new Error(
      `The key of executor ${outOfTime.name} is outside its time, from and until in roster.yaml. Start it with the key whose time it is.`,
    );
  throw new Error(
    `No executor in roster.yaml has ${given === undefined ? `a key in ${folder}` : `the key of ${given.from}`}. Add it under executors, or set KEYTURN_EXECUTOR_KEY.`,
  );
}
