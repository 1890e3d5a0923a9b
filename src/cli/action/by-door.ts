import type { Signed } from '../../domain/dsse.js';
import { actionIdSchema, type ActionId } from '../../domain/ids.js';
import type { Desk } from '../desk.js';
import { askDoors, hasDoors } from '../doors.js';
import { CliError, usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { short } from '../ids.js';
import { inert } from '../text/inert.js';
import { sayRecorded } from './decide.js';
import { lastLook, shownIds, type Look } from './shown.js';

export interface DoorOptions {
  /** Straight to the executors' own doors, without the API. */
  readonly door?: true;
}

/** The API, or what is behind it, cannot take the message now. */
const AWAY = new Set(['api_unreachable', 'api_answer_invalid', 'temporal_unavailable', 'rate_limited']);

/** Does it through the API. Undefined: it is to go by the executors' own doors, because it was asked to, or because the API is away and there are doors. */
export async function throughApi<T>(desk: Desk, { door }: DoorOptions, work: () => Promise<T>): Promise<T | undefined> {
  if (door === true) return undefined;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CliError) || !AWAY.has(error.code)) throw error;
    if (!hasDoors(desk.roster))
      throw new CliError(error.code, error.text, `${error.remedy} roster.yaml names no executor's own door (door:) to go to instead.`);
    desk.session.hint(`${error.text}: going to the executors' own doors`);
    return undefined;
  }
}

/** The action meant, where no API can say which there are: a whole id, or one that begins so among those shown in this folder. */
export async function idWithoutApi({ workspace }: Desk, text: string): Promise<ActionId> {
  const whole = actionIdSchema.safeParse(text);
  if (whole.success) return whole.data;
  const prefix = text.startsWith('act_') ? text : `act_${text}`;
  const [only, ...more] = (await shownIds(workspace)).filter((id) => id.startsWith(prefix));
  if (only !== undefined && more.length === 0) return only;
  throw usage(`"${inert(text)}" names no single action that was shown in this folder`, 'Without the API, give the whole id.');
}

/** What was shown here before: a "no" may name any revision. */
export async function lookWithoutApi({ workspace }: Desk, id: ActionId): Promise<Look> {
  const look = await lastLook(workspace, id);
  if (look !== undefined) return look;
  throw new CliError(
    'nothing_shown',
    `${short(id)} was never shown in this folder, so its digest is not known here`,
    'Stop what it is by a freeze: keyturn freeze --type, --agent or --all.',
  );
}

/** Takes it to the doors. Exit 0: one executor, the one with this action, has it on record by its own signature. Throws if none has. */
export async function byDoors(desk: Desk, id: ActionId, signed: Signed, what: string): Promise<ExitCode> {
  const answers = await askDoors(desk.roster, id, signed);
  const stands = answers.find(({ state }) => state === 'stands');
  if (stands?.state === 'stands') {
    const now = stands.status === null ? '' : ` (${stands.status.replaceAll('_', ' ')})`;
    desk.session.answer({ id, door: stands.executor, state: 'stands', status: stands.status }, [
      `${what}: executor ${stands.executor} has it on record and signed that${now}`,
    ]);
    return EXIT.ok;
  }
  const refusal = answers.find(({ state }) => state === 'refused');
  const lines = answers.map((each) => `${each.executor}: ${each.state === 'stands' ? '' : each.text}`);
  throw new CliError(
    refusal?.state === 'refused' ? refusal.code : 'door_unreachable',
    answers.length === 0 ? "roster.yaml names no executor's own door" : `no executor has ${short(id)} on record as ${what}`,
    'Freeze what can be frozen; if no executor answers, stop its process: docs/stopping.md.',
    EXIT.error,
    lines,
  );
}

/** Temporal keeps it, but nobody has judged it: a door can put it on record now. */
export async function recordedOrByDoors(desk: Desk, id: ActionId, signed: Signed, what: string): Promise<ExitCode> {
  if (!hasDoors(desk.roster)) return sayRecorded(desk, id);
  const answers = await askDoors(desk.roster, id, signed);
  const stands = answers.find(({ state }) => state === 'stands');
  if (stands === undefined) return sayRecorded(desk, id);
  desk.session.answer({ id, door: stands.executor, state: 'stands' }, [
    `${what}: executor ${stands.executor} has it on record and signed that; its run hears of it when a worker lives`,
  ]);
  return EXIT.ok;
}
