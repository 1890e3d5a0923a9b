import { randomBytes } from 'node:crypto';
import { DEPLOYMENT } from '../../demo/people.js';
import { signerOf } from '../../src/domain/dsse.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { Keyturn } from '../../src/client/index.js';
import type { Attack, Facts } from '../attack.js';
import type { Hands } from '../hands.js';
import { held, IBAN } from '../stage.js';
import { decision, forgedVotes } from '../town.js';

/** What hostile agents try: they hold their own keys and know where the API is. */
const nobody = async (): Promise<object> => ({});

const client = (hands: Hands, agent: string, n: number): Keyturn =>
  new Keyturn({ url: hands.api, deployment: DEPLOYMENT, agent, key: hands.holds.keys[n] ?? '' });

/** Pays `times` times EUR 300 at once, and tells how many ran. */
async function split(keyturn: Keyturn, { vendor }: Facts, name: string, times: number): Promise<number> {
  const ended = await Promise.all(
    Array.from({ length: times }, async (_, n) => {
      const { id } = await keyturn.propose(
        'payments.urgent',
        { vendor, iban: IBAN, cents: 30_000 },
        { reason: 'a small sum', idempotencyKey: `${name}-${n}` },
      );
      return keyturn.wait(id, { timeoutMs: 4_000 });
    }),
  );
  return ended.filter(({ status }) => status === 'succeeded').length;
}

export const byAgents: readonly Attack[] = [
  {
    id: 'agent-votes-in-names',
    cases: [21, 22],
    words: "an agent signs two approvals with its own key under reviewers' names and key ids, and sends them to the API",
    holds: ['agent key'],
    expected: 'not_a_reviewer, signature_invalid',
    guard: 'signature of a decision',
    prepare: held,
    strike: async (hands, facts) => {
      const plain = await hands.decide(facts.id, decision(hands.key(), 'ana', facts));
      const forged = [];
      for (const vote of forgedVotes(hands.key(), facts, facts.keyIds)) forged.push(await hands.decide(facts.id, vote));
      return `${plain}, ${forged[1] ?? ''}`;
    },
  },
  {
    id: 'bearer-decides',
    cases: [21, 25, 41],
    words: "whoever holds an agent's bearer key decides: approvedBy in a body with that key, then decisions whose signatures do not hold",
    holds: ['bearer key'],
    expected: 'not_a_reviewer, signature_invalid',
    guard: 'signature of a decision',
    prepare: held,
    strike: async (hands, facts) => {
      const authorization = `Bearer ${hands.holds.bearer ?? ''}`;
      const plain = await hands.decide(facts.id, { verdict: 'approve', approvedBy: 'ana' }, { authorization });
      const unsigned = [];
      for (const vote of forgedVotes(signerOf(randomBytes(32)), facts, facts.keyIds)) unsigned.push(await hands.decide(facts.id, vote));
      return `${plain}, ${unsigned[1] ?? ''}`;
    },
  },
  {
    id: 'split-in-nine',
    cases: [76, 12],
    words: 'an agent that may spend EUR 1,000 an hour without people pays nine times EUR 300 at once',
    holds: ['agent key'],
    expected: '3 of 9 ran',
    guard: 'budget',
    honest: 3,
    prepare: nobody,
    strike: async (hands, facts) => `${await split(client(hands, 'splitter', 0), facts, 'nine', 9)} of 9 ran`,
  },
  {
    id: 'two-agents-one-owner',
    cases: [76],
    words: 'two agents of one owner share out a payment that is over the budget of one',
    holds: ["an owner's two agent keys"],
    expected: '3 of 6 ran',
    guard: 'budget per owner',
    honest: 3,
    prepare: nobody,
    strike: async (hands, facts) => {
      const one = await split(client(hands, 'twin-one', 0), facts, 'one', 3);
      const two = await split(client(hands, 'twin-two', 1), facts, 'two', 3);
      return `${one + two} of 6 ran`;
    },
  },
  {
    id: 'vouched-where-signed',
    cases: [3],
    words: 'a bearer key proposes what runs without people only if the agent itself signed it; no other rule applies',
    holds: ['bearer key'],
    expected: 'rule_missing',
    guard: 'request: signed',
    prepare: nobody,
    strike: async (hands, { vendor }) => {
      const body = {
        v: 1,
        deployment: DEPLOYMENT,
        agent: 'erp-agent',
        type: 'payments.escrow',
        params: { vendor, iban: IBAN, cents: 100 },
        reason: 'a deposit',
        idempotencyKey: vendor,
      };
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${hands.holds.bearer ?? ''}` };
      await fetch(`${hands.api}/v1/actions`, { method: 'POST', headers, body: JSON.stringify(body) });
      const id = actionIdOf(DEPLOYMENT, 'erp-agent', vendor);
      const keyturn = new Keyturn({ url: hands.api, deployment: DEPLOYMENT, agent: 'erp-agent', bearer: hands.holds.bearer ?? '' });
      return (await keyturn.wait(id, { timeoutMs: 8_000 })).reason.code;
    },
  },
];
