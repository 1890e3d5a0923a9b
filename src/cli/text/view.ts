import type { ViewV1 } from '../../domain/view/v1.js';
import { spaced } from './inert.js';
import type { Page } from './page.js';

/**
 * Everything a view says, in the order every surface keeps (design §11), up to who asks. Votes and time follow in `state.ts`: they are not in the view.
 * View texts have passed `visible` already; here only a terminal's own tricks are left to disarm.
 */
export function renderView(page: Page, view: ViewV1, digest: string): void {
  page.title(spaced(view.sentence));
  page.faint(`${view.actionId}  revision ${view.revision}  digest ${digest.slice(0, 12)}`);
  page.faint(`deployment ${view.deployment}`);
  for (const notice of view.notices) page.alarm(notice);

  page.title(`Parameters of ${spaced(view.type)}`);
  page.rows(
    view.params.map(({ at, value, was }) => [
      spaced(at),
      was === undefined ? spaced(value) : `${spaced(was)} → ${spaced(value)}   (changed)`,
    ]),
  );
  if (view.params.length === 0) page.text('none');

  preview(page, view);

  page.title('How it is undone');
  page.rows(view.undo.map(({ step, how }) => [spaced(step), spaced(how)]));

  page.title('Why it is held');
  page.text(spaced(view.held.because));
  page.rows([
    ['rule', spaced(view.held.rule)],
    ['risk', view.held.risk],
    ...view.held.reasons.map((reason) => ['reason', spaced(reason)] as const),
    ...view.guards.map((guard) => ['demands', spaced(guard)] as const),
  ]);
  for (const earlier of view.earlier) page.alarm(`asked before: ${spaced(earlier)}`);

  asks(page, view);
}

function preview(page: Page, view: ViewV1): void {
  page.title('What changes');
  for (const { what, from, to } of view.changes) {
    const change = from === undefined && to === undefined ? '' : `: ${from === undefined ? '' : `${from} → `}${to ?? 'gone'}`;
    page.text(spaced(what + change), '- ');
  }
  if (view.changes.length === 0) page.text('the preview names no change');
  page.title('What it touches');
  for (const touched of view.touches) page.text(spaced(touched), '- ');
  if (view.touches.length === 0) page.text('the preview names nothing');
  if (view.warnings.length > 0) page.title('Warnings');
  for (const warning of view.warnings) page.alarm(spaced(warning));
  if (view.precondition === null) return;
  page.title('Runs only while the target is still as it was');
  page.text(spaced(view.precondition));
}

function asks(page: Page, { asks: who, agentSays }: ViewV1): void {
  page.title('Who asks');
  page.rows([
    ['agent', `${who.agent}, owned by ${who.owner}`],
    ...(who.onBehalfOf === null ? [] : [['for', who.onBehalfOf] as const]),
    ['request', who.standing],
    ...(who.editors.length === 0 ? [] : [['modified by', who.editors.join(', ')] as const]),
  ]);
  const context = agentSays.context === null ? [] : [`context: ${spaced(agentSays.context)}`];
  page.box("the agent's own words, unchecked", [spaced(agentSays.reason), ...context]);
}
