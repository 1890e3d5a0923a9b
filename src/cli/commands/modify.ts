import { PATIENCE_MS, print, sayRecorded, send, signDecision } from '../action/decide.js';
import { changesBetween, mustBeSealed, whatWasSeen } from '../action/seen.js';
import { votesOf } from '../action/votes.js';
import { readPatch } from '../assignments.js';
import { Desk } from '../desk.js';
import { usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { short } from '../ids.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';
import { pointerEntries, replaceAt } from '../../domain/pointer.js';
import type { Json } from '../../domain/json.js';
import { differences } from '../action/difference.js';

export interface ModifyOptions {
  readonly as?: string;
  /** On whose seat, by a delegation in this folder. */
  readonly for?: string;
  readonly digest?: string;
  readonly reason: string;
  readonly print?: true;
}

/** `modify ID /cents=820000 --reason …`: a new revision without approvals; whoever modifies does not count on it (§6.6). */
export async function modify(session: Session, idText: string, changes: readonly string[], options: ModifyOptions): Promise<ExitCode> {
  const patch = readPatch(changes);
  const desk = await Desk.open(session, await person(session, options.as));
  const action = await desk.find(idText);
  const { id } = action;
  const seen = await whatWasSeen(desk, action, { digest: options.digest, question: `Change this, as ${desk.author.id}?` });
  const before = mustBeSealed(action);
  for (const { at, was, now } of differences(before.envelope.params, patched(before.envelope.params, patch)))
    session.hint(`changing ${at}  ${was} → ${now}`);
  const seat = await desk.seatOf(action, options.for);
  const signed = signDecision(desk.author, id, seen, { verdict: 'modify', reason: options.reason, patch, ...seat }, session.now());
  if (options.print) return print(desk, signed);

  const judged = await send(desk, id, 'decisions', signed);
  if (judged.recorded) return sayRecorded(desk, id);
  const after = await desk.readUntil(id, (now) => now.newest !== undefined && now.newest.digest !== before.digest, PATIENCE_MS);
  if (after?.newest === undefined || after.newest.digest === before.digest) return sayRecorded(desk, id);
  const { have, need } = votesOf(after, session.now());
  const { revision } = after.newest.envelope;
  session.answer({ id, revision, digest: after.newest.digest, have, need }, [
    `revision ${revision}: ${have} of ${need}`,
    ...changesBetween(before, after.newest).map((line) => `  ${line}`),
    'earlier approvals are void, and yours does not count on it',
    `the others look at it with: keyturn show ${short(id)}`,
  ]);
  return EXIT.ok;
}

/** The parameters as the patch makes them. Throws usage where a pointer leads nowhere: a patch never invents places. */
function patched(params: Json, patch: Readonly<Record<string, Json>>): Json {
  let result = params;
  for (const [pointer, value] of Object.entries(patch)) {
    const next = replaceAt(result, pointer, value);
    if (next === undefined) {
      const places = pointerEntries(params).map(([at]) => at);
      throw usage(`${pointer} is no place in the parameters`, `The places are: ${places.join(', ')}.`);
    }
    result = next;
  }
  return result;
}
