import { refuse, type Refusal } from './codes.js';
import { keyIdOfSigned, readPayload, type Signed, type verifySigned } from './dsse.js';
import type { PersonId } from './ids.js';
import { toMs } from './instant.js';
import { validAt, type KeyRing } from './key-ring.js';
import type { Decision } from './objects/decision.js';
import { delegationSchema, MAX_DELEGATION_CHARS, type Delegation } from './objects/delegation.js';
import type { Envelope } from './objects/envelope.js';
import { matchesType } from './policy/match.js';

/** On whose seat a decision counts: its author's, or the person's he decides for. */
export const seatPersonOf = ({ person, delegation }: Pick<Decision, 'person' | 'delegation'>): PersonId => delegation?.from ?? person;

/** The delegation in these bytes, before anything is believed of it. */
export function readDelegation(signed: Signed): Delegation | undefined {
  if (signed.payload.length > MAX_DELEGATION_CHARS) return undefined;
  return delegationSchema.safeParse(readPayload('delegation', signed)).data;
}

const no = (text: string): Refusal => refuse('delegation_invalid', text);

/**
 * Did the person decided for hand over to the author, then, and is it still so (§6.3)? By a key of his that is valid when it was signed and now, as
 * with any decision; in force when the decision was made and now, so that a decision dated back into it gains nothing. `now` in ms.
 * Undefined: yes, or the decision names no delegation.
 */
export function mandateRefused(
  decision: Decision,
  { deployment, webauthn }: Pick<Envelope, 'deployment' | 'webauthn'>,
  ring: KeyRing,
  now: number,
  verify: typeof verifySigned,
): Refusal | undefined {
  if (decision.delegation === undefined) return undefined;
  const { from, signed } = decision.delegation;
  const delegation = readDelegation(signed);
  if (delegation === undefined) return no('not a delegation: see the schema of delegation v1');
  if (delegation.deployment !== deployment) return no('the delegation is of another deployment');
  if (delegation.from !== from || delegation.to !== decision.person)
    return no(`the delegation is from ${delegation.from} to ${delegation.to}, not from ${from} to ${decision.person}`);
  const [begins, ends, made] = [toMs(delegation.issuedAt), toMs(delegation.until), toMs(decision.issuedAt)];
  const keyId = keyIdOfSigned(signed);
  const holder = keyId === undefined ? undefined : ring.get(keyId);
  const key = holder?.person === from && validAt(holder, begins) && validAt(holder, now) ? holder.key() : undefined;
  if (key === undefined || !verify('delegation', signed, key, webauthn))
    return no(`no key of ${from}, valid when it was signed and now, made this delegation`);
  if (made < begins || made >= ends) return no('the decision was not made while the delegation was in force');
  if (now >= ends) return no('the delegation is over');
  return undefined;
}

/** Does the sealed rule let it be handed over, and does the delegation cover this action and this kind of decision? Says nothing of signatures. */
export function scopeRefused(decision: Decision, envelope: Envelope): Refusal | undefined {
  if (decision.delegation === undefined) return undefined;
  // What a delegate did his delegator takes back in his own name; a delegate takes nothing back but his own doing.
  if (decision.verdict === 'withdraw') return no("a withdrawal is made in one's own name");
  if (envelope.delegates?.includes(decision.person) !== true) return no(`the rule lets nobody hand over to ${decision.person}`);
  const { types } = readDelegation(decision.delegation.signed) ?? { types: [] };
  if (types !== undefined && !types.some((pattern) => matchesType(pattern, envelope.type.name)))
    return no(`the delegation does not cover ${envelope.type.name}`);
  return undefined;
}
