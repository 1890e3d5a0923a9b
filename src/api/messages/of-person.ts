import type { Refusal } from '../../domain/codes.js';
import type { Signed } from '../../domain/dsse.js';
import type { ActionId } from '../../domain/ids.js';
import { MAX_DECISION_CHARS } from '../../domain/objects/decision.js';
import type { Roster } from '../../domain/roster.js';
import { idOf } from '../action-id.js';
import type { Api, Call } from '../api.js';
import { holderName } from '../credentials/holder.js';
import { bearerAgent } from '../credentials/reader.js';
import { notFound, Refused, refused } from '../problem.js';
import { readSigned } from '../read-body.js';
import { describe, type Described } from '../temporal/describe.js';

/** A look at the message by the API's own roster; `now` in ms. Undefined: pass it on. */
type Look = (signed: Signed, id: ActionId, roster: Roster, now: number) => Refusal | undefined;

/** A message by which a person says something of an action, and the action it is about. */
export interface OfPerson {
  readonly roster: Roster;
  readonly signed: Signed;
  readonly described: Described;
}

/**
 * What a person signed, let in: no bearer key, nothing `look` refuses, within that person's limit, about an action there is. Only what was verified is
 * looked up. Throws the refusal.
 */
export async function messageOfPerson(api: Api, c: Call, look: Look): Promise<OfPerson> {
  const roster = await api.roster();
  const now = Date.now();
  const id = idOf(c);
  if (bearerAgent(c.req.header('authorization') ?? '', roster, now) !== undefined) throw refused('not_a_reviewer');
  const signed = await readSigned(c, MAX_DECISION_CHARS);
  const refusal = look(signed, id, roster, now);
  if (refusal !== undefined) throw new Refused(refusal);
  api.limits.decision(holderName(signed, roster));
  const described = await describe(api.client, id);
  if (described === undefined) throw notFound();
  return { roster, signed, described };
}
