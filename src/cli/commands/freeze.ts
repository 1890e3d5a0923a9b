import { digestOfSigned, type Signed } from '../../domain/dsse.js';
import { stopAnswerSchema, type StopAnswer } from '../../domain/http.js';
import { digestSchema, type Digest } from '../../domain/ids.js';
import { lodgeStopInput } from '../../domain/objects/answer.js';
import { freezeSchema, thawSchema } from '../../domain/objects/stop.js';
import { readAnswer } from '../../domain/receipt.js';
import type { Roster } from '../../domain/roster.js';
import { freshness, print } from '../action/decide.js';
import { Desk, PASSING } from '../desk.js';
import { askDoors, type AtDoor } from '../doors.js';
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

/**
 * `freeze --all | --type | --agent`: nothing in that scope starts, and no next step, until it is thawed. What already acts at a target is not called
 * back. It goes to the API and to the executors' own doors at once.
 */
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
  const { doors, api } = await everyRoad(desk, signed);
  const next = `keyturn thaw ${digestOfSigned(signed)} --reason …`;
  if (api instanceof CliError && doors.length === 0)
    throw new CliError(api.code, api.text, `${api.remedy} roster.yaml names no executor's own door (door:) to go to instead.`);
  return tell(session, desk.roster, signed, { doors, api }, 'frozen', next);
}

interface Roads {
  readonly doors: readonly AtDoor[];
  readonly api: StopAnswer | CliError;
}

/** A brake takes every road at once: the API, which reaches each executor through Temporal, and the executors' own doors. */
async function everyRoad({ roster, api }: Desk, signed: Signed): Promise<Roads> {
  const enough = new AbortController();
  const byApi = api.post('/v1/freezes', signed, stopAnswerSchema, 'POST', enough.signal).then(
    ({ value }) => value,
    (error: unknown) => {
      if (error instanceof CliError) return error;
      throw error;
    },
  );
  const byDoors = askDoors(roster, null, signed).then((doors) => {
    if ([...roster.executors.keys()].every((name) => doors.some(({ executor, state }) => executor === name && state === 'stands')))
      enough.abort();
    return doors;
  });
  const [answer, doors] = await Promise.all([byApi, byDoors]);
  return { api: answer, doors };
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
  return tell(
    session,
    desk.roster,
    signed,
    { doors: [], api: value },
    'your thaw is on record',
    'lifted when as many have thawed as its policy asks for',
  );
}

const said = ({ author }: Desk, session: Session, { reason }: StopOptions) => ({
  v: 1,
  deployment: author.deployment,
  by: author.id,
  reason,
  ...freshness(session.now()),
});

/** Exit 0: every executor has it on record, by its own signature. Exit 6: Temporal keeps it for those that are away. Else 1. */
function tell(session: Session, roster: Roster, signed: Signed, roads: Roads, done: string, next: string): ExitCode {
  const digest = digestOfSigned(signed);
  const executors = [...roster.executors.values()].map(({ name }) => ({
    executor: name,
    ...standing(roster, name, signed, digest, roads),
  }));
  const lines = executors.map(({ executor, state, text }) => {
    if (state === 'stands') return `${executor}: ${done}${text === '' ? '' : ` (${text})`}`;
    if (state === 'waiting') return `${executor}: not on record yet, it is away; Temporal keeps it${text === '' ? '' : `; ${text}`}`;
    return inert(`${executor}: ${state === 'refused' ? 'refused' : 'NOT REACHED'}: ${text}`);
  });
  session.answer({ digest, executors }, [...lines, `  ${next}`]);
  if (executors.every(({ state }) => state === 'stands')) return EXIT.ok;
  return executors.some(({ state }) => state === 'refused' || state === 'unreached') ? EXIT.error : EXIT.waiting;
}

interface Standing {
  readonly state: 'stands' | 'waiting' | 'refused' | 'unreached';
  readonly text: string;
}

/** Only the executor's own signature says that it stands, whichever way it came. */
function standing(roster: Roster, name: string, signed: Signed, digest: Digest, { doors, api }: Roads): Standing {
  const door = doors.find(({ executor }) => executor === name);
  if (door?.state === 'stands') return { state: 'stands', text: 'by its own door' };
  const byApi = standingByApi(roster, name, signed, digest, api);
  if (door === undefined || byApi.state === 'stands') return byApi;
  return { state: byApi.state, text: [byApi.text, `its door: ${door.text}`].filter((text) => text !== '').join('; ') };
}

function standingByApi(roster: Roster, name: string, signed: Signed, digest: Digest, api: StopAnswer | CliError): Standing {
  if (api instanceof CliError) return { state: PASSING.has(api.code) ? 'unreached' : 'refused', text: `${api.code}: ${api.text}` };
  const told = api.executors.find(({ executor }) => executor === name);
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
