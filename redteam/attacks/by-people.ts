import { randomBytes } from 'node:crypto';
import { DEPLOYMENT } from '../../demo/people.js';
import { toInstant } from '../../src/domain/instant.js';
import type { Attack } from '../attack.js';
import { held, heldWithVotes } from '../stage.js';
import { decision, delegation, renamed } from '../town.js';
import { frozenFacts } from './by-namespace.js';

/** What one reviewer tries who has write access to the namespace besides: so nothing but the executor stands in between. */
export const byPeople: readonly Attack[] = [
  {
    id: 'one-vote-many-times',
    cases: [5],
    words: 'one reviewer orders the execution with her own approval, made five times',
    holds: ["ana's key", 'namespace write'],
    expected: 'quorum_missing',
    guard: 'one seat a person',
    prepare: held,
    strike: (hands, facts) =>
      hands.advance(
        facts.id,
        facts.digest,
        Array.from({ length: 5 }, () => decision(hands.key(), 'ana', facts)),
      ),
  },
  {
    id: 'two-keys-of-one-person',
    cases: [7],
    words: 'one reviewer approves by each of her two keys',
    holds: ["ana's two keys", 'namespace write'],
    expected: 'quorum_missing',
    guard: 'one seat a person',
    prepare: held,
    strike: (hands, facts) =>
      hands.advance(
        facts.id,
        facts.digest,
        [0, 1].map((n) => decision(hands.key(n), 'ana', facts)),
      ),
  },
  {
    id: 'in-anothers-name',
    cases: [39],
    words: "one reviewer signs a second approval under another's name",
    holds: ["ana's key", 'namespace write'],
    expected: 'signature_invalid',
    guard: 'a key is one person',
    prepare: held,
    strike: (hands, facts) =>
      hands.advance(
        facts.id,
        facts.digest,
        ['ana', 'ben'].map((person) => decision(hands.key(), person, facts)),
      ),
  },
  {
    id: 'owner-approves',
    cases: [17, 18],
    words: "the owner of the agent, who is in the group that is asked, is the second to approve the agent's payment",
    holds: ["the owner's key", 'namespace write'],
    expected: 'self_approval',
    guard: 'the owner is excluded',
    prepare: async (stage, vendor) => heldWithVotes(stage, vendor, { voters: ['ana'] }),
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, [...facts.votes, decision(hands.key(), 'dana', facts)]),
  },
  {
    id: 'represented-approves',
    cases: [19],
    words: 'the person an agent says it acts for is the second to approve',
    holds: ["ben's key", 'namespace write'],
    expected: 'self_approval',
    guard: 'who is acted for is excluded',
    prepare: async (stage, vendor) => heldWithVotes(stage, vendor, { voters: ['ana'], onBehalfOf: 'ben' }),
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, [...facts.votes, decision(hands.key(), 'ben', facts)]),
  },
  {
    id: 'editor-approves',
    cases: [20],
    words: 'a reviewer changes the payment and is the second to approve the change',
    holds: ["cleo's key", 'namespace write'],
    expected: 'editor_excluded',
    guard: 'an editor is excluded',
    prepare: async (stage, vendor) => {
      const first = await held(stage, vendor);
      await stage.decide('cleo', first, { verdict: 'modify', reason: 'typo', patch: { '/cents': 9_900_000 } });
      const second = await stage.at(first.id, 2);
      return { ...second, votes: [stage.vote('ana', second)] };
    },
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, [...facts.votes, decision(hands.key(), 'cleo', facts)]),
  },
  {
    id: 'ended-key',
    cases: [46],
    words: 'a key that ended in January approves today, dated back to when it was good',
    holds: ["fay's ended key", 'namespace write'],
    expected: 'signature_invalid',
    guard: 'an ended key is none',
    prepare: async (stage, vendor) => heldWithVotes(stage, vendor, { voters: ['ana'] }),
    strike: async (hands, facts) => {
      const back = decision(hands.key(), 'fay', facts, { at: Date.UTC(2026, 0, 30) });
      await hands.advance(facts.id, facts.digest, [...facts.votes, back]);
      return hands.advance(facts.id, facts.digest, [...facts.votes, decision(hands.key(), 'fay', facts)]);
    },
  },
  {
    id: 'delegate-votes-twice',
    cases: [],
    words: 'a reviewer to whom another has truly handed over approves for herself and for him',
    holds: ["cleo's key", 'namespace write'],
    expected: 'quorum_missing',
    guard: 'delegator and delegate are one seat',
    prepare: async (stage, vendor) => ({ ...(await held(stage, vendor)), mandate: stage.handOver('ben', 'cleo') }),
    strike: (hands, facts) => {
      const forBen = { delegation: { from: 'ben', signed: facts.mandate } };
      return hands.advance(
        facts.id,
        facts.digest,
        [{}, forBen].map((more) => decision(hands.key(), 'cleo', facts, more)),
      );
    },
  },
  {
    id: 'forged-delegation',
    cases: [],
    words:
      "somebody who is asked nothing, but may be handed over to, makes a delegation in a reviewer's name, and is the second to approve",
    holds: ["gus's key", 'namespace write'],
    expected: 'delegation_invalid',
    guard: 'a delegation is signed',
    prepare: (stage, vendor) => heldWithVotes(stage, vendor, { voters: ['ana'] }),
    strike: (hands, facts) => {
      const signed = renamed(delegation(hands.key(), 'ben', 'gus'), facts.keyIds['ben'] ?? '');
      return hands.advance(facts.id, facts.digest, [
        ...facts.votes,
        decision(hands.key(), 'gus', facts, { delegation: { from: 'ben', signed } }),
      ]);
    },
  },
  {
    id: 'thaw-by-who-may-not',
    cases: [],
    words: 'a reviewer who may not thaw thaws, and orders what was frozen',
    holds: ["ana's key", 'namespace write'],
    expected: 'not_eligible, frozen',
    guard: 'who may thaw',
    prepare: frozenFacts,
    strike: async (hands, facts) => {
      const said = { v: 1, deployment: DEPLOYMENT, nonce: randomBytes(16).toString('hex'), issuedAt: toInstant(Date.now()) };
      const signed = hands.key().sign('thaw', { ...said, by: 'ana', freeze: facts.freeze, reason: 'it was nothing' });
      const thawed = await hands.order('lodge', { actionId: null, have: 0, signed });
      return `${thawed}, ${await hands.advance(facts.id, facts.digest, facts.votes)}`;
    },
  },
];
