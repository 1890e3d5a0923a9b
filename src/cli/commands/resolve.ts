import { freshness, PATIENCE_MS, print, sayRecorded, send } from '../action/decide.js';
import { Desk } from '../desk.js';
import { usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';
import { issuesOf } from '../text/inert.js';
import { outcomeLine } from '../text/state.js';
import { resolveSchema } from '../../domain/objects/stop.js';

export interface ResolveOptions {
  readonly as?: string;
  readonly step: string;
  readonly verdict: string;
  readonly reason: string;
  readonly print?: true;
}

/** `resolve ID`: what a person found out about a step nobody else can tell about (§5). It records; nothing starts forward after it. */
export async function resolve(session: Session, idText: string, options: ResolveOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await person(session, options.as));
  const { id } = await desk.find(idText);
  const finding = resolveSchema.safeParse({
    v: 1,
    deployment: desk.author.deployment,
    actionId: id,
    by: desk.author.id,
    step: Number(options.step),
    verdict: options.verdict,
    reason: options.reason,
    ...freshness(session.now()),
  });
  if (!finding.success)
    throw usage(`this is no finding: ${issuesOf(finding.error)}`, 'Write --step 2 --verdict happened, did_not or undone_by_hand.');
  const signed = desk.author.signer.sign('resolve', finding.data);
  if (options.print) return print(desk, signed);

  const judged = await send(desk, id, 'resolutions', signed);
  if (judged.recorded) return sayRecorded(desk, id);
  const settled = await desk.readUntil(id, ({ outcome }) => outcome.effect !== 'unknown' && outcome.effect !== 'in_progress', PATIENCE_MS);
  const said = settled?.outcome.final === true ? outcomeLine(settled.outcome) : 'recorded; the action has not ended by it yet';
  session.answer({ id, fate: judged.answer.fate.state, outcome: settled?.outcome ?? null }, [said]);
  return EXIT.ok;
}
