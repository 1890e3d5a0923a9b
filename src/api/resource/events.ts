import type { ActionEvent } from '../../domain/http.js';
import type { Entry } from '../../domain/objects/entry.js';
import type { Roster } from '../../domain/roster.js';
import type { Snapshot } from '../../domain/review/snapshot.js';
import { visible } from '../../domain/view/visible.js';
import { provenReceipt, trustIn } from './proven.js';
import { questionsOf, requestOf } from './resource.js';

/** What happened, oldest first: the ledger's entries as far as they verify, and what became of each message. */
export function eventsOf(snapshot: Snapshot, type: string, roster: Roster): ActionEvent[] {
  const { receipt } = provenReceipt(snapshot.id, snapshot.entries, trustIn(roster, type, snapshot));
  const entries = receipt.map(({ digest, entry }): ActionEvent => ({
    id: digest,
    at: entry.at,
    kind: entry.kind,
    by: byOf(entry),
    fate: null,
    text: textOf(entry),
  }));
  const questions = questionsOf(snapshot, requestOf(snapshot)?.agent, roster);
  const asked = new Map(questions.map(({ digest, question }) => [digest, question]));
  const decisions = snapshot.decisions.map(({ digest, issuedAt, verdict, person, fate, reason }): ActionEvent => ({
    id: `${digest}-${fate.state}`,
    at: issuedAt,
    kind: verdict,
    by: `person:${person}`,
    fate,
    text: visible(asked.get(digest) ?? reason ?? '', { lines: true }),
  }));
  const answers = questions.flatMap(({ answer }): ActionEvent[] =>
    answer === null
      ? []
      : [
          {
            id: answer.digest,
            at: answer.answeredAt,
            kind: 'answer',
            by: `agent:${answer.agent}`,
            fate: { state: 'taken' },
            text: visible(answer.text, { lines: true }),
          },
        ],
  );
  const messages = snapshot.messages.map(({ digest, fate }): ActionEvent => ({
    id: `${digest}-${fate.state}`,
    at: null,
    kind: 'message',
    by: null,
    fate,
    text: '',
  }));
  return [...entries, ...decisions, ...answers]
    .sort((a, b) => ((a.at ?? '') < (b.at ?? '') ? -1 : (a.at ?? '') > (b.at ?? '') ? 1 : 0))
    .concat(messages);
}

function byOf(entry: Entry): string | null {
  switch (entry.kind) {
    case 'lodged':
      return entry.by;
    case 'resolved':
    case 'reviewed':
      return entry.by.map((person) => `person:${person}`).join(', ');
    case 'denied':
    case 'closed':
    case 'ended':
      return entry.reason.by ?? null;
    default:
      return null;
  }
}

function textOf(entry: Entry): string {
  switch (entry.kind) {
    case 'sealed':
      return `revision ${entry.revision}, after ${entry.cause}`;
    case 'denied':
    case 'closed':
    case 'ended':
      return visible(`${entry.status}: ${entry.reason.text}`);
    case 'executing':
      return `${entry.decisions.length} decisions counted`;
    case 'step_started':
    case 'step_done':
      return `step ${entry.step}, attempt ${entry.attempt}`;
    case 'step_not_started':
    case 'step_failed':
    case 'step_unknown':
      return visible(`step ${entry.step}, attempt ${entry.attempt}: ${entry.code}`);
    case 'undo_started':
    case 'undo_done':
      return `undo of step ${entry.step}`;
    case 'undo_failed':
    case 'undo_unknown':
      return visible(`undo of step ${entry.step}: ${entry.code}`);
    case 'stale':
      return entry.code;
    case 'lodged':
      return entry.object;
    case 'restored':
      return `the ledger was restored from a backup: whether step ${entry.step} has run since, only its target knows`;
    case 'resolved':
      return `step ${entry.step}: ${entry.verdict}`;
    case 'reviewed':
      return entry.verdict;
  }
}
