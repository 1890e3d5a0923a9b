import { describe, expect, test } from '@jest/globals';
import { dryRun, overviewOf, policyEvaluationSchema, policyOverviewSchema } from '../../src/domain/policy/dry-run.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import type { Policy } from '../../src/domain/policy/schema.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { agentIdSchema } from '../../src/domain/ids.js';
import { OPENED } from '../helpers/hand-made.js';
import { policyText, rosterText } from '../helpers/rules-fixture.js';

const SOURCE = "the API's own copy of policy.yaml: the executor's decides";
const FURTHER = `  - { name: not here, match: { type: payments.batch }, when: "'prod' in preview.touches", effect: deny, because: Not there. }
  - { name: for another, match: { type: payments.*, agent: bearer-agent }, effect: deny, because: Bearer keys pay nothing. }
stop:`;

function policyOf(text: string): Policy {
  const read = parsePolicy(text, 'policy.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.policy;
}
function rosterOf(): Roster {
  const read = parseRoster(rosterText(), 'roster.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.roster;
}
const ROSTER = rosterOf();
const POLICY = policyOf(
  policyText({ more: ['independent: 1', 'minTime: 10m', 'confirmField: /cents', 'minView: 20s'], deny: ['payments.blind'] }).replace(
    'stop:',
    FURTHER,
  ),
);
const copy = { source: SOURCE, version: POLICY.version, digest: POLICY.digest };
const GIVEN = { type: 'payments.transfer', params: { vendor: 'ACME', cents: 480_000 } };
const bearer = agentIdSchema.parse('bearer-agent');

describe("a dry run by the API's copy of the policy", () => {
  test('held: by which rule, whom it asks, and what of it was left out', () => {
    const said = dryRun(POLICY, ROSTER, GIVEN, OPENED);
    expect(said).toEqual({
      ...copy,
      without: ['preview', 'budgets'],
      asked: { type: 'payments.transfer', agent: 'ap-agent', owner: 'dana', onBehalfOf: null },
      effect: 'hold',
      rule: 'vendor payments',
      code: null,
      text: 'Money leaves the company.',
      held: {
        because: 'Money leaves the company.',
        stages: [{ name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2, remind: [], escalate: [] }],
        rejections: 1,
        exclusions: [{ person: 'dana', why: 'owner' }],
        approveWithin: 86_400_000,
        executeWithin: 1_800_000,
        guards: { independent: 1, minTime: 600_000, confirmField: '/cents', minView: 20_000 },
      },
      rules: [{ rule: 'vendor payments', effect: 'hold', says: 'applies', error: null }],
    });
    expect(policyEvaluationSchema.parse(said)).toEqual(said);
  });
  test('denied: by a rule or by none, with its code', () => {
    expect(dryRun(POLICY, ROSTER, { ...GIVEN, agent: bearer }, OPENED)).toMatchObject({
      asked: { agent: 'bearer-agent' },
      effect: 'deny',
      rule: 'for another',
      code: 'rule_denies',
      text: 'rule "for another": Bearer keys pay nothing.',
      held: null,
      rules: [
        { rule: 'for another', effect: 'deny', says: 'applies', error: null },
        { rule: 'vendor payments', effect: 'hold', says: 'applies', error: null },
      ],
    });
    const none = policyOf(policyText({ type: 'payments.batch' }));
    expect(dryRun(none, ROSTER, GIVEN, OPENED)).toMatchObject({
      effect: 'deny',
      rule: null,
      code: 'rule_missing',
      text: 'no rule matches payments.transfer by ap-agent',
      held: null,
      rules: [],
    });
  });
  test('undecided, where a rule reads the preview, which only the executor makes', () => {
    expect(dryRun(POLICY, ROSTER, { type: 'payments.batch', params: {} }, OPENED)).toMatchObject({
      effect: 'undecided',
      rule: null,
      code: null,
      held: null,
      rules: [
        { rule: 'not here', effect: 'deny', says: 'undecided', error: null },
        { rule: 'vendor payments', effect: 'hold', says: 'applies', error: null },
      ],
    });
  });
  test('a rule that cannot be evaluated says why', () => {
    const broken = policyOf(policyText({ denyWhen: 'action.params.currency == "EUR"' }));
    expect(dryRun(broken, ROSTER, GIVEN, OPENED)).toMatchObject({
      effect: 'deny',
      code: 'policy_error',
      rules: [
        { rule: 'never so', effect: 'deny', says: 'error', error: expect.stringContaining('field not found: currency') as unknown },
        { rule: 'vendor payments', says: 'applies' },
      ],
    });
    const unmet = policyOf(policyText({ denyWhen: 'action.params.cents > 1000000' }));
    expect(dryRun(unmet, ROSTER, GIVEN, OPENED)).toMatchObject({
      effect: 'hold',
      rules: [{ rule: 'never so', says: 'when is false' }, {}],
    });
  });
  test('what nobody could ask is told in words', () => {
    const ghost = agentIdSchema.parse('ghost');
    for (const given of [
      { ...GIVEN, agent: ghost },
      { ...GIVEN, type: 'secrets.rotate' },
      { ...GIVEN, onBehalfOf: 'nobody' },
    ])
      expect(typeof dryRun(POLICY, ROSTER, given, OPENED)).toBe('string');
    expect(dryRun(POLICY, ROSTER, { ...GIVEN, onBehalfOf: 'ana' }, OPENED)).toMatchObject({ asked: { onBehalfOf: 'ana' } });
  });
  test('the rules by name: all of them, or those that could apply to one agent', () => {
    const line = (name: string, effect: string, because: string, type: string, agent: string | null = null) => ({
      name,
      effect,
      because,
      type,
      agent,
    });
    const all = [
      line('vendor payments', 'hold', 'Money leaves the company.', 'payments.*'),
      line('never payments.blind', 'deny', 'Never.', 'payments.blind'),
      line('not here', 'deny', 'Not there.', 'payments.batch'),
      line('for another', 'deny', 'Bearer keys pay nothing.', 'payments.*', 'bearer-agent'),
    ];
    expect(overviewOf(POLICY, undefined)).toEqual({ ...copy, rules: all });
    expect(overviewOf(POLICY, 'bearer-agent').rules).toEqual(all);
    expect(overviewOf(POLICY, 'ap-agent').rules).toEqual(all.slice(0, 3));
    expect(policyOverviewSchema.parse(overviewOf(POLICY, 'ap-agent'))).toEqual(overviewOf(POLICY, 'ap-agent'));
  });
});
