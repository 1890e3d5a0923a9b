import { actionListSchema, type ActionLine } from '../../domain/http.js';
import { covers, handedOverTo, inWords } from '../action/delegations.js';
import { STATUSES } from '../../domain/outcome.js';
import { EXIT, type ExitCode } from '../exit.js';
import { openApi } from '../http.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';
import { inert } from '../text/inert.js';
import { Page } from '../text/page.js';
import { paintOf } from '../text/paint.js';
import { leftUntil } from '../text/time.js';

/** `inbox`: what needs me, nearest deadline first. Lines of a list: nothing here is proved, `show` proves it. */
export async function inbox(session: Session, options: { readonly as?: string }): Promise<ExitCode> {
  const me = await person(session, options.as);
  const api = await openApi(session, me);
  const { actions, next } = await api.get('/v1/inbox', actionListSchema);
  const page = new Page(session.terminal.width, paintOf(session.terminal.color));
  const heads = heading(actions);
  for (const [i, action] of actions.entries()) page.rows([[heads[i] ?? action.id, lineOf(action, session.now())]]);
  const more = next === null ? [] : ['  … and more: decide on these first'];
  const said = actions.length === 0 ? [`Nothing needs ${me.id}.`] : [...page.lines, ...more, '', 'Look at one: keyturn show <id>'];
  const others: { readonly for: string; readonly actions: readonly ActionLine[] }[] = [];
  const workspace = await session.workspace();
  for (const handed of await handedOverTo(me.id, workspace, await workspace.roster(), session.now())) {
    const { from } = handed.delegation;
    const list = await api.get(`/v1/inbox?for=${from}`, actionListSchema);
    const covered = list.actions.filter(({ type }) => covers(handed, type));
    others.push({ for: from, actions: covered });
    const rows = new Page(session.terminal.width, paintOf(session.terminal.color));
    const ids = heading(covered);
    for (const [i, action] of covered.entries()) rows.rows([[ids[i] ?? action.id, lineOf(action, session.now())]]);
    said.push(
      '',
      `For ${inWords(handed)}, where its rule lets it (--for ${from}):`,
      ...(covered.length === 0 ? ['  nothing'] : rows.lines),
    );
  }
  session.answer({ actions, next, others }, said);
  return EXIT.ok;
}

function lineOf({ type, agent, risk, deadline, status }: ActionLine, now: number): string {
  const time = deadline === null ? 'no deadline' : leftUntil(deadline, now);
  // One that has ended asks for its post-review alone.
  const review = STATUSES[status].final ? `REVIEW of what ${status}, ` : '';
  return `${review}${time}, ${inert(type)} by ${inert(agent)}${risk === null ? '' : `, risk ${inert(risk)}`}`;
}

/** The ids, cut to the shortest length of at least 8 at which no two are alike. */
function heading(actions: readonly ActionLine[]): string[] {
  for (let length = 8; length < 30; length++) {
    const heads = actions.map(({ id }) => id.slice(0, length));
    if (new Set(heads).size === heads.length) return heads;
  }
  return actions.map(({ id }) => id);
}
