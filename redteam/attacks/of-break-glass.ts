import { randomBytes } from 'node:crypto';
import { DEPLOYMENT } from '../../demo/people.js';
import { toInstant } from '../../src/domain/instant.js';
import type { Attack, Facts, Known } from '../attack.js';
import type { Hands } from '../hands.js';
import { held, type Stage } from '../stage.js';
import { AT_ONCE_MS, decision } from '../town.js';

/** What one reviewer tries where one may let something run at once: by the rule `on call`, ana or ben, with a word why, reviewed by eva afterwards. */
const because = { reason: 'Production is down.' };

/** Orders it with one approval, the attacker's own. */
const alone = (hands: Hands, facts: Facts, person: string, more: Parameters<typeof decision>[3] = because): Promise<string> =>
  hands.advance(facts.id, facts.digest, [decision(hands.key(), person, facts, more)]);

/** One that ana let run. */
async function letRun(stage: Stage, vendor: string, key = vendor): Promise<Known> {
  const target = await held(stage, vendor, { key });
  const vote = stage.vote('ana', target, because);
  await stage.send(target.id, vote);
  await stage.ended(target.id);
  return { ...target, votes: [vote] };
}

export const ofBreakGlass: readonly Attack[] = [
  {
    id: 'break-glass-by-who-may-not',
    cases: [],
    words: 'who is not on call, but asked to review afterwards, lets something run by break-glass, alone, with a word why',
    holds: ["eva's key", 'namespace write'],
    expected: 'not_eligible',
    guard: 'only who is asked',
    prepare: held,
    strike: (hands, facts) => alone(hands, facts, 'eva'),
  },
  {
    id: 'break-glass-without-a-word',
    cases: [],
    words: 'who is on call lets it run and does not say why, or with spaces for a reason',
    holds: ["ana's key", 'namespace write'],
    expected: 'guard_unmet, guard_unmet',
    guard: 'break-glass says why',
    prepare: held,
    strike: async (hands, facts) => `${await alone(hands, facts, 'ana', {})}, ${await alone(hands, facts, 'ana', { reason: '   ' })}`,
  },
  {
    id: 'break-glass-too-late',
    cases: [61],
    words: 'a break-glass approval, kept back until its time to start is over',
    holds: ["ana's key", 'namespace write'],
    expected: 'execution_late',
    guard: 'the time to start ends',
    prepare: held,
    strike: async (hands, facts) => {
      const vote = decision(hands.key(), 'ana', facts, because);
      await new Promise((done) => setTimeout(done, AT_ONCE_MS + 500));
      return hands.advance(facts.id, facts.digest, [vote]);
    },
  },
  {
    id: 'break-glass-used-twice',
    cases: [27, 35],
    words: 'the approval by which one break-glass action ran, ordered to be counted on a second, equal one',
    holds: ['namespace write'],
    expected: 'audience_mismatch',
    guard: 'a vote is for one action',
    honest: 1,
    prepare: async (stage, vendor) => {
      const { votes } = await letRun(stage, vendor);
      return { ...(await held(stage, vendor, { key: `${vendor}-second` })), ...(votes === undefined ? {} : { votes }) };
    },
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, facts.votes),
  },
  {
    id: 'break-glass-reviews-himself',
    cases: [],
    words: 'who let something run by break-glass, and is among those who review such actions, signs the post-review of it: justified',
    holds: ["ana's key", 'namespace write'],
    expected: 'not_eligible',
    guard: 'who let it run does not review it',
    honest: 1,
    prepare: letRun,
    strike: (hands, { id }) => {
      const said = { v: 1, deployment: DEPLOYMENT, nonce: randomBytes(16).toString('hex'), issuedAt: toInstant(Date.now()) };
      const signed = hands.key().sign('review', { ...said, actionId: id, by: 'ana', verdict: 'justified', reason: 'It had to be.' });
      return hands.order('lodge', { actionId: id, have: 0, signed });
    },
    fooled: (seen) => seen === 'stands',
  },
];
