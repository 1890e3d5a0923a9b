import { keyIdOfSigned, type Signed } from '../../domain/dsse.js';
import { holderOf, type Roster } from '../../domain/roster.js';

/** Whose key a signature names, as limits know them: `person:ana`, `agent:ap-agent`, `api`. To be asked of verified signatures only. */
export function holderName(signed: Signed, roster: Roster): string {
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : holderOf(roster, keyId);
  return holder?.kind === 'person' || holder?.kind === 'agent' ? `${holder.kind}:${holder.id}` : (holder?.kind ?? 'nobody');
}
