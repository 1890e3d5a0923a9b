import { randomBytes } from 'node:crypto';
import { DEPLOYMENT } from '../../demo/people.js';
import { signerOf, type Signed, type Signer } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import type { Attack, Facts, Known } from '../attack.js';
import { until } from '../hands.js';
import { held, type Stage } from '../stage.js';
import { renamed } from '../town.js';

/** A reviewer asks, and somebody who is not the agent answers. The harm is a false picture: what a reviewer is shown as the agent's words. */
const LIE = 'Ana knows of it, she ordered it herself.';

async function asked(stage: Stage, vendor: string): Promise<Known> {
  const target = await held(stage, vendor);
  return { ...target, question: await stage.ask('ana', target, 'Which invoice is it?') };
}

/** An answer of `agent`, by whatever key. */
const reply = (by: Signer, agent: string, facts: Facts): Signed =>
  by.sign('reply', {
    v: 1,
    deployment: DEPLOYMENT,
    actionId: facts.id,
    agent,
    question: facts.question,
    text: LIE,
    nonce: randomBytes(16).toString('hex'),
    issuedAt: toInstant(Date.now()),
  });
const inItsName = (by: Signer, facts: Facts): Signed => renamed(reply(by, 'ap-agent', facts), facts.keyIds['ap-agent'] ?? '');

/** Whether `keyturn show` says it in the agent's name, after what the attacker saw. */
async function shown(stage: Stage, { id }: Facts, said: string): Promise<string> {
  const { output } = await stage.keyturn(['show', id]);
  if (!output.includes('Which invoice')) return `${said}; nothing shown: ${output.slice(-200)}`;
  return `${said}; ${/ap-agent answers[^]*she ordered it/.test(output) ? 'shown' : 'not shown'}`;
}
const fooled = (seen: string): boolean => seen.endsWith('; shown');

export const ofAnswers: readonly Attack[] = [
  {
    id: 'another-agent-answers',
    cases: [],
    words: "another agent answers a reviewer's question over HTTP: in its own name, in the asked agent's, and under that agent's key id",
    holds: ["another agent's key"],
    expected: 'request_invalid, credential_invalid, credential_invalid; not shown',
    guard: 'signature of an answer',
    prepare: asked,
    strike: async (hands, facts) => {
      const own = reply(hands.key(), 'cold-agent', facts);
      const codes = [];
      for (const signed of [own, reply(hands.key(), 'ap-agent', facts), inItsName(hands.key(), facts)])
        codes.push(await hands.answer(facts.id, signed));
      return codes.join(', ');
    },
    victim: shown,
    fooled,
  },
  {
    id: 'nobody-answers',
    cases: [],
    words: "an answer in the agent's name that its key never signed, put in by a signal before the agent has answered",
    holds: ['namespace write'],
    expected: 'delivered; not shown',
    guard: 'signature of an answer',
    prepare: asked,
    strike: async (hands, facts) => {
      const handle = (await hands.client()).workflow.getHandle(facts.id);
      await handle.signal('answer', inItsName(signerOf(randomBytes(32)), facts));
      const there = await until(async () => ((await hands.snapshot(facts.id)).replies.length > 0 ? true : undefined));
      return there === true ? 'delivered' : 'not delivered';
    },
    victim: shown,
    fooled,
  },
];
