import { utf8 } from '../../src/domain/bytes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import type { Claimed, Evidence } from '../../src/domain/evidence/schema.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { digestOf } from '../../src/domain/hash.js';
import { actionIdSchema } from '../../src/domain/ids.js';
import { canonicalize, type Json } from '../../src/domain/json.js';
import type { Roster } from '../../src/domain/roster.js';
import { viewV1 } from '../../src/domain/view/v1.js';
import { readersRoster } from './flips.js';
import type { SealedRevision } from './messages.js';
import { DEPLOYMENT, type RosterOptions } from './rules-fixture.js';

export interface Parts {
  readonly id: string;
  readonly entries: readonly Signed[];
  readonly revisions?: readonly SealedRevision[];
  readonly decisions?: readonly Signed[];
  readonly messages?: readonly Signed[];
  /** Members of the file in place of what follows from the rest. */
  readonly more?: Partial<Evidence>;
}

/** What an action claims of which nobody saw anything. */
export const CLAIMED: Claimed = {
  status: 'executing',
  decisions: [],
  otherDecisions: [],
  messages: [],
  refused: { total: 0, signatures: 0, last: null },
  receiptsInvalid: 0,
};

export const byDigest = (objects: readonly Signed[]): Signed[] =>
  objects.toSorted((a, b) => (digestOfSigned(a) < digestOfSigned(b) ? -1 : 1));

/** A file put together by somebody who can do everything but sign: in it is what is given, whether `buildEvidence` would take it or not. */
export function fileOf({ id, entries, revisions = [], decisions = [], messages = [], more = {} }: Parts): Uint8Array {
  const evidence: Evidence = {
    v: 1,
    deployment: DEPLOYMENT,
    actionId: actionIdSchema.parse(id),
    request: null,
    envelopes: revisions.map(({ signed }) => signed),
    views: revisions.map(({ envelope }) => viewV1(envelope) as unknown as Json),
    decisions: byDigest(decisions),
    messages: byDigest(messages),
    questions: [],
    entries: [...entries],
    annex: { claimed: CLAIMED, sha256: digestOf(CLAIMED) },
    ...more,
  };
  return utf8(`${canonicalize(evidence)}\n`);
}

let usual: Roster | undefined;
/** Read when it is first asked for: a mutant of the reading must not keep a test file from loading. */
const reader = (): Roster => (usual ??= readersRoster());
/** A decision's number hangs on its digest, and that on chance. */
const unnumbered = (text: string): string => text.replace(/^(BROKEN )?decision \d+/, '$1decision');

/** What is said of a file: the warnings if it holds, or the one thing that breaks it. */
export function told(bytes: Uint8Array, roster?: RosterOptions): readonly string[] {
  const verdict = verifyEvidence(bytes, roster === undefined ? reader() : readersRoster(roster));
  return verdict.ok ? verdict.warnings.map(unnumbered) : [unnumbered(`BROKEN ${verdict.step}: ${verdict.text}`)];
}

export const OPEN = 'the file holds no end: the action may have moved on since';
