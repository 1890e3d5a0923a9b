import type { Policy } from '../domain/policy/schema.js';
import type { KeyId } from '../domain/ids.js';
import { holderOf, keyValidAt, type Roster } from '../domain/roster.js';
import { readPolicy, readRoster, Watched } from '../files/rules.js';
import type { Rules } from './executor.js';
import type { Ledger } from './ledger/ledger.js';

/** Whether the newest the ledger has seen are exactly these. */
const areNewest = (ledger: Ledger, roster: Roster, policy: Policy): Promise<boolean> =>
  ledger.snapshot(
    async (tx) =>
      (await tx.meta('roster')) === `${roster.version} ${roster.digest}` &&
      (await tx.meta('policy')) === `${policy.version} ${policy.digest}`,
  );

/**
 * Policy and roster, read again when they change. The ledger remembers the newest of each it has seen: a lower version, or the same version
 * with other content, is refused, and then nothing runs until it is mended (attack case 47). The same once its own key's time is over: what it signed
 * after that, no reader of the ledger would believe.
 */
export function liveRules(
  ledger: Ledger,
  files: { readonly roster: string; readonly policy: string },
  keyId: KeyId,
  now: () => number = Date.now,
): () => Promise<Rules> {
  const watched = new Watched([files.roster, files.policy], async () => {
    const roster = await readRoster(files.roster);
    return { roster, policy: await readPolicy(files.policy, roster, Date.now()) };
  });
  let accepted: { readonly roster: Roster; readonly policy: Policy } | undefined;
  return async () => {
    const current = await watched.current();
    if (!current.ok) return { ok: false, text: current.text };
    const { roster, policy } = current.value;
    const own = holderOf(roster, keyId);
    if (own?.kind !== 'executor' || !keyValidAt(own.key, now()))
      return { ok: false, text: "the roster gives this executor's key to no executor, or its time is over: start it with its present key" };
    // SQLite has this one executor; on PostgreSQL another may have seen newer rules since.
    if (accepted === current.value && (ledger.kind === 'sqlite' || (await areNewest(ledger, roster, policy))))
      return { ok: true, roster, policy };
    if (roster.deployment !== ledger.identity.deployment)
      return { ok: false, text: `the roster names deployment ${roster.deployment}, the ledger ${ledger.identity.deployment}` };
    if (roster.development && process.env['KEYTURN_DEVELOPMENT'] !== '1')
      return { ok: false, text: 'the roster says development: true, but KEYTURN_DEVELOPMENT=1 is not set here' };
    const problem = await ledger.transaction(async (tx) => {
      for (const [name, file] of [
        ['roster', roster],
        ['policy', policy],
      ] as const) {
        const seen = await tx.meta(name);
        const [version, digest] = (seen ?? '0 ').split(' ');
        if (Number(version) > file.version)
          return `${name} version ${file.version} is older than version ${version ?? ''}, which this ledger has seen: raise its version`;
        if (Number(version) === file.version && digest !== file.digest)
          return `the ${name} changed but its version is still ${file.version}: raise it by one`;
        if (Number(version) < file.version) await tx.setMeta(name, `${file.version} ${file.digest}`);
      }
      return undefined;
    });
    if (problem !== undefined) return { ok: false, text: problem };
    accepted = current.value;
    return { ok: true, roster, policy };
  };
}
