import { digestOfSigned, type Signed } from '../../domain/dsse.js';
import { stopAnswerSchema, type StopAnswer } from '../../domain/http.js';
import { digestSchema, type Digest } from '../../domain/ids.js';
import { lodgeStopInput } from '../../domain/objects/answer.js';
import { freezeSchema, thawSchema } from '../../domain/objects/stop.js';
import { readAnswer } from '../../domain/receipt.js';
import type { Roster } from '../../domain/roster.js';
import { freshness, print } from '../action/decide.js';
import { Desk } from '../desk.js';
import { CliError, usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';
import { inert, issuesOf } from '../text/inert.js';

interface StopOptions {
  readonly as?: string;
  readonly reason: string;
  readonly print?: true;
}
export interface FreezeOptions extends StopOptions {
  readonly all?: true;
  readonly type?: string;
  readonly agent?: string;
}

/** `freeze --all | --type | --agent`: nothing in that scope starts, and no next step, until it is thawed. What already acts at a target is not called back. */
export async function freeze(session: Session, options: FreezeOptions): Promise<ExitCode> {
  const { all, type, agent } = options;
  const scopes = [
    ...(all === true ? [{ all }] : []),
    ...(type === undefined ? [] : [{ type }]),
    ...(agent === undefined ? [] : [{ agent }]),
  ];
  const [scope] = scopes;
  if (scope === undefined || scopes.length > 1)
    throw usage('say what is to stand still', 'One of --all, --type payments.transfer, --agent ap-agent.');
  const desk = await Desk.open(session, await person(session, options.as));
  const message = freezeSchema.safeParse({ ...said(desk, session, options), scope });
  if (!message.success) throw usage(`this is no freeze: ${issuesOf(message.error)}`, 'Correct what it names.');
  const signed = desk.author.signer.sign('freeze', message.data);
  if (options.print) return print(desk, signed);
  const { value } = await desk.api.post('/v1/freezes', signed, stopAnswerSchema);
  const digest = digestOfSigned(signed);
  return tell(session, desk.roster, signed, value, 'frozen', `keyturn thaw ${digest} --reason …`);
}

/** `thaw FREEZE`: one of the voices it takes to lift a freeze, which is named by its digest. */
export async function thaw(session: Session, freezeText: string, options: StopOptions): Promise<ExitCode> {
  const frozen = digestSchema.safeParse(freezeText);
  if (!frozen.success) throw usage(`"${freezeText}" is no digest of a freeze`, '`keyturn freeze` prints it: 64 hex digits.');
  const desk = await Desk.open(session, await person(session, options.as));
  const message = thawSchema.safeParse({ ...said(desk, session, options), freeze: frozen.data });
  if (!message.success) throw usage(`this is no thaw: ${issuesOf(message.error)}`, 'Correct what it names.');
  const signed = desk.author.signer.sign('thaw', message.data);
  if (options.print) return print(desk, signed);
  const { value } = await desk.api.post(`/v1/freezes/${frozen.data}`, signed, stopAnswerSchema, 'DELETE');
  return tell(session, desk.roster, signed, value, 'your thaw is on record', 'lifted when as many have thawed as its policy asks for');
}

const said = ({ author }: Desk, session: Session, { reason }: StopOptions) => ({
  v: 1,
  deployment: author.deployment,
  by: author.id,
  reason,
  ...freshness(session.now()),
});

/** Exit 0: every executor has it on record, by its own signature. Exit 6: some are still to be told. */
function tell(session: Session, roster: Roster, signed: Signed, answer: StopAnswer, done: string, next: string): ExitCode {
  const digest = digestOfSigned(signed);
  const executors = [...roster.executors.values()].map(({ name }) => ({
    executor: name,
    ...standing(roster, name, signed, digest, answer),
  }));
  const all = executors.every(({ state }) => state === 'stands');
  const lines = executors.map(({ executor, state, text }) => {
    if (state === 'stands') return `${executor}: ${done}`;
    return state === 'waiting' ? `${executor}: not on record yet, it is away; Temporal keeps it` : inert(`${executor}: refused: ${text}`);
  });
  session.answer({ digest, executors }, [...lines, `  ${next}`]);
  return all ? EXIT.ok : executors.some(({ state }) => state === 'refused') ? EXIT.error : EXIT.waiting;
}

/** Only the executor's own signature says that it stands. */
function standing(
  roster: Roster,
  name: string,
  signed: Signed,
  digest: Digest,
  { executors }: StopAnswer,
): { readonly state: 'stands' | 'waiting' | 'refused'; readonly text: string } {
  const told = executors.find(({ executor }) => executor === name);
  if (told === undefined || told.state === 'waiting') return { state: 'waiting', text: '' };
  if (told.state === 'refused') return { state: 'refused', text: `${told.code}: ${told.text}` };
  const trust = { deployment: roster.deployment, keys: (roster.executors.get(name)?.keys ?? []).map(({ key }) => key) };
  const read = readAnswer('lodge', null, lodgeStopInput(signed), told.answer, trust);
  if (read?.result.kind === 'stands' && read.result.digest === digest) return { state: 'stands', text: '' };
  throw new CliError(
    'receipt_invalid',
    `the API says that it stands at ${name}, but shows no answer that executor signed`,
    'Is roster.yaml up to date? Else somebody stands between you and the executor: stop it by other means.',
  );
}
