import { DEPLOYMENT } from '../../demo/people.js';
import { digestOfSigned, keyIdOfSigned, readPayload, type Signed, type Signer } from '../../src/domain/dsse.js';
import type { Evidence } from '../../src/domain/evidence/schema.js';
import { digestOf } from '../../src/domain/hash.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { entrySchema } from '../../src/domain/objects/entry.js';
import { envelopeSchema } from '../../src/domain/objects/envelope.js';
import { viewDigestOf } from '../../src/domain/view/v1.js';
import type { ActionResource } from '../../src/domain/http.js';
import type { Attack } from '../attack.js';
import { hostileApi } from '../hostile-api.js';
import { held, heldWithVotes, IBAN, ranAlready } from '../stage.js';
import { decision, forgedVotes, renamed } from '../town.js';

/** What the API's host tries, with the API's own key, the roster and Temporal; and the workflow worker's. */
const LIE = 'Pay nobody anything';

export const byHosts: readonly Attack[] = [
  {
    id: 'api-votes-in-names',
    cases: [48, 41],
    words: "the API's host makes two approvals with the API's key under reviewers' names",
    holds: ['API host'],
    expected: 'signature_invalid',
    guard: 'signature of a decision',
    prepare: held,
    strike: async (hands, facts) => {
      const fates = [];
      for (const vote of forgedVotes(hands.key(), facts, facts.keyIds)) fates.push(await hands.update(facts.id, vote));
      return fates[1] ?? '';
    },
  },
  {
    id: 'api-vouches-for-signed-agent',
    cases: [],
    words: 'the API vouches for an agent that has a key of its own, for what runs without people',
    holds: ['API host'],
    expected: 'credential_invalid',
    guard: 'vouching is for bearer agents',
    prepare: async () => ({}),
    strike: async (hands, { vendor }) => {
      const params = { vendor, iban: IBAN, cents: 100 };
      const body = {
        v: 1,
        deployment: DEPLOYMENT,
        agent: 'ap-agent',
        type: 'payments.urgent',
        params,
        reason: 'x',
        idempotencyKey: vendor,
      };
      const id = actionIdOf(DEPLOYMENT, 'ap-agent', vendor);
      return hands.end(await hands.start(id, [hands.key().sign('request', body)]));
    },
  },
  {
    id: 'api-shows-another-payment',
    cases: [26, 73],
    words: `the API's host answers a reviewer's keyturn show with a seal of its own making that says "${LIE}"`,
    holds: ['API host'],
    expected: 'refused: receipt_invalid',
    guard: "the CLI checks the executor's seal",
    prepare: held,
    strike: (hands) =>
      hostileApi(hands.api, {
        ofAction: (resource) => {
          const [envelope] = resource.envelopes.map((signed) => envelopeSchema.parse(readPayload('envelope', signed)));
          if (envelope === undefined) return resource;
          const lie = { ...envelope, summary: LIE };
          const signed = hands.key().sign('envelope', lie);
          const names = { digest: digestOfSigned(signed), view: viewDigestOf(lie) };
          const entries = resource.entries.map((entry) =>
            hands.key().sign('entry', { ...(readPayload('entry', entry) as object), ...names }),
          );
          return { ...resource, ...names, envelopes: [signed], entries, sentence: LIE };
        },
      }),
    victim: async (stage, facts, url) => {
      const { code, output } = await stage.keyturn(['show', facts.id, '--url', url]);
      if (code === 0 && output.includes(LIE)) return `shown: ${LIE}`;
      return `refused: ${/\((\w+)\)/.exec(output)?.[1] ?? output.slice(-200)}`;
    },
    fooled: (seen) => seen.startsWith('shown'),
  },
  {
    id: 'api-claims-it-was-paid',
    cases: [],
    words: "the API's host tells a reviewer's keyturn get that a held payment succeeded",
    holds: ['API host'],
    expected: 'not believed',
    guard: 'an end is proved by entries',
    prepare: held,
    strike: (hands) => hostileApi(hands.api, { ofAction: paid }),
    victim: async (stage, facts, url) => {
      const { output } = await stage.keyturn(['get', facts.id, '--url', url]);
      return /succeeded +effect: done/.test(output) ? 'believed' : 'not believed';
    },
    fooled: (seen) => seen === 'believed',
  },
  {
    id: 'api-tells-the-agent-it-was-paid',
    cases: [],
    words: "the API's host tells a waiting agent, which knows the executors' keys, that its held payment succeeded",
    holds: ['API host'],
    expected: 'receipt_invalid',
    guard: "the agent checks the executor's entries",
    prepare: held,
    strike: (hands) => hostileApi(hands.api, { ofAction: paid }),
    victim: (stage, facts, url) => stage.agentSees(facts.id, url),
    fooled: (seen) => seen === 'succeeded',
  },
  {
    id: 'api-serves-forged-evidence',
    cases: [81],
    words: "the API's host hands out evidence of a payment that ran in which it was cancelled: the last entry is of its own making",
    holds: ['API host'],
    expected: 'refused: entry 2',
    guard: 'entries of evidence are signed',
    honest: 1,
    prepare: ranAlready,
    strike: (hands) => hostileApi(hands.api, { ofEvidence: (evidence) => neverRan(evidence, hands.key()) }),
    victim: async (stage, facts, url) => {
      const file = `${facts.vendor}.json`;
      await stage.keyturn(['evidence', 'export', facts.id, '--url', url, '--output', file]);
      const { output } = await stage.keyturn(['--json', 'evidence', 'verify', file]);
      const report = JSON.parse(output.split('\n')[0] ?? '') as { ok: boolean; step?: string; outcome?: { status: string } };
      return report.ok ? `believed: ${report.outcome?.status ?? ''}` : `refused: ${report.step ?? ''}`;
    },
    fooled: (seen) => seen === 'believed: cancelled',
  },
  {
    id: 'worker-orders-early',
    cases: [1, 13],
    words: "the worker's host orders the execution with one of two votes, and with none",
    holds: ['worker host'],
    expected: 'quorum_missing, quorum_missing',
    guard: 'the quorum',
    prepare: (stage, vendor) => heldWithVotes(stage, vendor, { voters: ['ana'] }),
    strike: async (hands, facts) =>
      `${await hands.advance(facts.id, facts.digest, [])}, ${await hands.advance(facts.id, facts.digest, facts.votes)}`,
  },
  {
    id: 'worker-drops-a-rejection',
    cases: [13, 33],
    words: "the worker's host forgets a rejection that is on record, and orders the execution with two true approvals",
    holds: ['worker host'],
    expected: 'rejection_standing',
    guard: 'a rejection stands',
    prepare: async (stage, vendor) => {
      const facts = await heldWithVotes(stage, vendor);
      await stage.lodge(facts.id, stage.vote('cleo', facts, { verdict: 'reject', reason: 'paid in October' }));
      return facts;
    },
    strike: (hands, facts) => hands.advance(facts.id, facts.digest, facts.votes),
  },
  {
    id: 'worker-pads-with-garbage',
    cases: [15, 16],
    words: "the worker's host pads one true vote with decisions of strangers, of the agent's owner and with no decisions at all",
    holds: ['worker host'],
    expected: 'signature_invalid',
    guard: 'signature of a decision',
    prepare: (stage, vendor) => heldWithVotes(stage, vendor, { voters: ['ana'] }),
    strike: (hands, facts) => {
      const [, ben] = forgedVotes(hands.key(), facts, facts.keyIds);
      const garbage: Signed = { ...decision(hands.key(), 'ana', facts), payload: 'AAAA' };
      return hands.advance(facts.id, facts.digest, [...(ben === undefined ? [] : [ben]), garbage, ...facts.votes]);
    },
  },
];

/** The same file with all that came after the seal in place of which stands a cancel, every reference as it must be; only the executor's key is missing. */
function neverRan(evidence: Evidence, by: Signer): Evidence {
  const [sealed] = evidence.entries;
  if (sealed === undefined) return evidence;
  const { deployment, ledger, epoch, seq, at, actionId } = entrySchema.parse(readPayload('entry', sealed));
  const digest = digestOfSigned(sealed);
  const place = { v: 1, deployment, ledger, epoch, seq: seq + 1, prev: digest, prevOfAction: digest, at, actionId };
  const reason = { code: 'cancelled', text: 'cancelled in Temporal', by: 'unsigned' };
  const closed = by.sign('entry', { ...place, kind: 'closed', status: 'cancelled', reason });
  const claimed = { ...evidence.annex.claimed, status: 'cancelled' as const, decisions: [], otherDecisions: [], messages: [] };
  return {
    ...evidence,
    decisions: [],
    messages: [],
    entries: [sealed, renamed(closed, keyIdOfSigned(sealed) ?? '')],
    annex: { claimed, sha256: digestOf(claimed) },
  };
}

/** The same action, as if it had run. */
function paid(resource: ActionResource): ActionResource {
  const outcome = {
    id: resource.id,
    status: 'succeeded' as const,
    effect: 'done' as const,
    final: true,
    reason: { code: 'succeeded' as const, text: 'It ran.' },
    result: { id: 'pay_0001' },
    retry: 'never' as const,
  };
  return { ...resource, outcome: { ...resource.outcome, ...outcome }, running: false, stale: false };
}
