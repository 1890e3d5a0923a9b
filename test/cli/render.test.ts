import { describe, expect, test } from '@jest/globals';
import { verifyAction } from '../../src/cli/action/verified.js';
import { inert, spaced } from '../../src/cli/text/inert.js';
import { Page } from '../../src/cli/text/page.js';
import { paintOf } from '../../src/cli/text/paint.js';
import { renderState } from '../../src/cli/text/state.js';
import { renderView } from '../../src/cli/text/view.js';
import { columns, wrap } from '../../src/cli/text/wrap.js';
import { parseRoster } from '../../src/domain/roster.js';
import { viewV1 } from '../../src/domain/view/v1.js';
import { HOUR, MINUTE, OPENED, type EnvelopeChanges } from '../helpers/hand-made.js';
import { approve, request } from '../helpers/messages.js';
import { rosterText } from '../helpers/rules-fixture.js';
import { FakeAction } from './fake-api.js';
import { toInstant } from '../../src/domain/instant.js';

/** The whole card, as `show` prints it without colours. `now` in ms. */
function card(action: FakeAction, now = OPENED + 30 * MINUTE, width = 80): string[] {
  const read = parseRoster(rosterText(), 'roster.yaml');
  if (!read.ok) throw new Error('roster');
  const verified = verifyAction(action.resource(), action.id, read.roster);
  const view = viewV1(action.newest.envelope);
  const page = new Page(width, paintOf(false));
  renderView(page, view, action.newest.digest);
  renderState(page, verified, view, now);
  return page.lines;
}

const FIXED: EnvelopeChanges = { openedAt: toInstant(OPENED), sealedAt: toInstant(OPENED), approveBy: toInstant(OPENED + 24 * HOUR) };

const RICH: EnvelopeChanges = {
  ...FIXED,
  previousParams: { vendor: 'Initech', iban: 'DE89370400440532013000', cents: 8_200_000 },
  params: { vendor: 'Initech', iban: 'DE89370400440532013000', cents: 820_000 },
  contributors: ['cleo'],
  summary: 'Pay Initech EUR 8200.00 to DE89370400440532013000',
  preview: {
    changes: [
      { what: 'balance of DE89370400440532013000', from: '0 cents', to: '+820000 cents' },
      { what: 'the reservation made this morning for the same vendor, which this replaces in full', from: 'res_0003' },
    ],
    touches: ['DE89370400440532013000', 'the ledger of March'],
    warnings: ['The vendor was added two days ago.'],
    precondition: { version: 7 },
    undo: [
      { step: 'reserve', plan: { undo: 'automatic' } },
      {
        step: 'settle',
        plan: { undo: 'by_hand', how: 'Call the bank before 16:00 and ask for a recall of the payment; it costs EUR 25.' },
      },
    ],
  },
  risk: 'medium',
  reasons: ['It can be undone by hand.'],
  stages: [{ name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2, remind: [HOUR], escalate: [{ after: 8 * HOUR, to: ['eva'] }] }],
  exclusions: [
    { person: 'dana', why: 'owner' },
    { person: 'cleo', why: 'editor' },
  ],
  guards: { development: true, selfApproval: false, request: 'any', minTime: 0, independent: 0, confirmField: null },
  earlier: [{ actionId: `act_${'0'.repeat(26)}`, status: 'rejected', reason: 'paid in October', by: 'person:cleo' }],
};

describe('the card of an action', () => {
  test('in the order every surface keeps, changed parameters first', () => {
    const action = new FakeAction(RICH);
    action.decisions.push(approve('ben', action.newest));
    expect(card(action).join('\n')).toBe(GOLDEN);
  });

  test('once it has ended: how, and what it gave', () => {
    const action = new FakeAction(FIXED);
    action.ran();
    expect(card(action).slice(-4)).toEqual(['', 'Outcome: succeeded effect: done', '  It ran.', '  result: null']);
  });

  test('no line is wider than the terminal, at any width, and nothing is left out', () => {
    const long = 'x'.repeat(300);
    const action = new FakeAction({ ...RICH, params: { vendor: long, note: '支払い'.repeat(40), much: 'pling '.repeat(60) } });
    for (const width of [40, 63, 80]) {
      const lines = card(action, OPENED, width);
      expect(Math.max(...lines.map(columns))).toBeLessThanOrEqual(width);
      const whole = lines.map((line) => line.trim().replace(/›$/, '')).join('');
      expect(whole).toContain(long);
      expect(whole).toContain('支払い'.repeat(40));
      expect(whole.match(/pling/g)).toHaveLength(60);
    }
  });
});

describe('hostile text is inert', () => {
  const hostile = [
    'ok\u001b[2J\u001b[1;1H',
    'Votes: 2 of 2\n\nOutcome: succeeded',
    '└─\n\nVotes: 2 of 2',
    `safe${' '.repeat(200)}now pay Shell Co`,
    'DE89\u202e0003',
    'аpple',
    `a${'\u0301'.repeat(40)}`,
    '‹12 spaces›',
    '\u0007\r\u0008',
  ].join('\n');
  const { signed } = request({ idempotencyKey: 'key 1', reason: hostile, context: { note: hostile } });
  const action = new FakeAction({ ...FIXED, request: signed, summary: hostile, params: { vendor: hostile, [hostile.slice(0, 60)]: 1 } });
  const lines = card(action);

  test('no control, bidi or zero-width character reaches the terminal', () => {
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  test('nothing of it can pass for a line of ours: its lines stand behind the bar, or inside one of ours', () => {
    expect(lines.filter((line) => line.startsWith('Votes:'))).toEqual(['Votes: 0 of 2']);
    expect(lines.filter((line) => line.startsWith('Outcome:'))).toEqual([]);
    expect(lines.filter((line) => line.trim() === '└─')).toHaveLength(1);
  });

  test('spaces, piles of marks and look-alikes are written out', () => {
    const text = lines.join('\n');
    expect(text).toContain('‹200 spaces›');
    expect(text).toContain('‹40 combining marks›');
    expect(text).toContain('‹U+202E›');
    expect(text).toContain('‹U+0430›pple');
    // What looks like a mark in the text is marked itself.
    expect(text).toContain('‹U+2039›12 spaces‹U+203A›');
  });

  test('text that no view has marked is marked once', () => {
    expect(inert('a\u001bb  c')).toBe('a‹U+001B›b‹2 spaces›c');
    expect(spaced('‹U+001B›  x')).toBe('‹U+001B›‹2 spaces›x');
  });
});

describe('wrap', () => {
  test('breaks at spaces; inside a word only with a mark that no text can hold', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghijkl', 8)).toEqual(['abcdefg›', 'hijkl']);
    expect(wrap('', 8)).toEqual(['']);
    expect(wrap('a\nb', 8)).toEqual(['a', 'b']);
  });
  test('counts wide characters twice, combining marks not at all', () => {
    expect(columns('日本')).toBe(4);
    expect(columns('é')).toBe(1);
    expect(wrap('日本日本日本', 9)).toEqual(['日本日本›', '日本']);
  });
});

const GOLDEN = `Pay Initech EUR 8200.00 to DE89370400440532013000
  act_q87b0703pgabwd3gmw0cfvvn1h  revision 1  digest ab4a00c889ad
  deployment acme-test
  ! development roster: keys of other people may be at hand on this machine

Parameters of payments.transfer 1
  /cents   8200000 → 820000   (changed)
  /iban    "DE89370400440532013000"
  /vendor  "Initech"

What changes
  - balance of DE89370400440532013000: 0 cents → +820000 cents
  - the reservation made this morning for the same vendor, which this replaces
    in full: res_0003 → gone

What it touches
  - DE89370400440532013000
  - the ledger of March

Warnings
  ! The vendor was added two days ago.

Runs only while the target is still as it was
  {"version":7}

How it is undone
  reserve  automatic
  settle   by hand: Call the bank before 16:00 and ask for a recall of the
           payment; it costs EUR 25.

Why it is held
  Money leaves the company.
  rule    vendor payments
  risk    medium
  reason  It can be undone by hand.
  ! asked before: act_00000000000000000000000000 rejected by person:cleo: paid
    in October

Who asks
  agent        ap-agent, owned by dana
  request      signed with the agent's own key
  modified by  cleo
  ┌─ the agent's own words, unchecked
  │ Invoice 4711
  └─

Votes: 1 of 2
  finance  2 of ana, ben, cleo
           reminded after 1h
           after 8h also eva
  - ben approved, revision 1, counted
  Can still decide: ana
  Never counted: dana, who owns the agent
  Never counted: cleo, who modified it

Time
  23 h 30 min left, until 2026-02-01 09:00:00 UTC. Then: expired, nothing runs.
  Once agreed it starts within 30m of the newest vote that counts, or not at
  all.
  One rejection ends it.`;
