import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readAssignment, readParams, readPatch } from '../../src/cli/assignments.js';
import { parseReady } from '../../src/cli/dev/ready.js';
import { CliError } from '../../src/cli/errors.js';
import { readDecision } from '../../src/domain/admit.js';
import { fromUtf8, utf8 } from '../../src/domain/bytes.js';
import { readDelegation } from '../../src/domain/delegation.js';
import {
  digestOfSigned,
  PAYLOAD_TYPES,
  readPayload,
  signedSchema,
  verifySigned,
  type ObjectKind,
  type Signed,
} from '../../src/domain/dsse.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { durationText, instantSchema, parseDuration, toInstant, toMs } from '../../src/domain/instant.js';
import { canonicalize, JsonRefused, parseCanonical, parseStrict } from '../../src/domain/json.js';
import { keyIdOfText, parsePublicKey } from '../../src/domain/keys.js';
import { entrySchema } from '../../src/domain/objects/entry.js';
import { envelopeSchema } from '../../src/domain/objects/envelope.js';
import { requestSchema } from '../../src/domain/objects/request.js';
import { pointerEntries, replaceAt } from '../../src/domain/pointer.js';
import { readCondition } from '../../src/domain/policy/condition.js';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.js';
import { lintPolicy } from '../../src/domain/policy/lint.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { readReply } from '../../src/domain/review/dialogue.js';
import { parseRoster } from '../../src/domain/roster.js';
import { viewV1 } from '../../src/domain/view/v1.js';
import { readYaml } from '../../src/domain/yaml.js';
import { ranOnce, roster } from '../cli/ran-once.js';
import { ASKED, NOW, ROSTER, ROSTER_TEXT } from '../domain/policy-fixture.js';
import { seal } from '../helpers/hand-made.js';
import { approve, request } from '../helpers/messages.js';
import { policyText } from '../helpers/rules-fixture.js';
import { keyOfPerson } from '../helpers/signers.js';
import { mangled, mangledValue } from './mangled.js';

/** Whatever comes in, a parser gives a value or its own refusal: never another exception, never two spellings of one thing. */
/** The same accidents every time; `KEYTURN_FUZZ_RUNS=5000 KEYTURN_FUZZ_SEED=7` looks for others. */
const runs = { numRuns: Number(process.env['KEYTURN_FUZZ_RUNS'] ?? 300), seed: Number(process.env['KEYTURN_FUZZ_SEED'] ?? 1) };
const throwsOnly = <T>(work: () => T, refusal: abstract new (...words: never[]) => Error): T | undefined => {
  try {
    return work();
  } catch (error) {
    if (error instanceof refusal) return undefined;
    throw error;
  }
};
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));

describe('JSON', () => {
  const text = fc.oneof(
    fc.json(),
    fc.json().chain((good) => mangled(good, ['1e999', '-0', '\\ud800', '9007199254740993', '""', 'NaN'])),
    anyText,
  );

  test('strict: what it takes is what everybody reads, and its canonical text reads the same', () => {
    fc.assert(
      fc.property(text, (each) => {
        const value = throwsOnly(() => parseStrict(each), JsonRefused);
        if (value === undefined) return;
        expect(canonicalize(value)).toBe(canonicalize(JSON.parse(each)));
        expect(canonicalize(parseStrict(canonicalize(value)))).toBe(canonicalize(value));
      }),
      runs,
    );
  });

  test('canonical: it takes one spelling of each value', () => {
    fc.assert(
      fc.property(text, fc.boolean(), (each, spell) => {
        const spelt = spell ? throwsOnly(() => canonicalize(throwsOnly(() => parseStrict(each), JsonRefused) ?? null), JsonRefused) : each;
        const bytes = utf8(spelt ?? each);
        const value = throwsOnly(() => parseCanonical(bytes), JsonRefused);
        if (value !== undefined) expect(canonicalize(value)).toBe(fromUtf8(bytes));
      }),
      runs,
    );
  });

  test('any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void throwsOnly(() => parseCanonical(bytes), JsonRefused)),
      runs,
    );
  });

  test('pointers lead where they say, or nowhere', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), anyText, (value, pointer) => {
        const read = throwsOnly(() => parseStrict(JSON.stringify(value)), JsonRefused);
        if (read === undefined) return;
        const entries = pointerEntries(read);
        for (const [at] of entries) expect(replaceAt(read, at, 'here')).toBeDefined();
        const changed = replaceAt(read, pointer, 'here');
        if (changed !== undefined) expect(canonicalize(changed)).toContain('here');
      }),
      runs,
    );
  });
});

describe('signed objects', () => {
  const good: readonly (readonly [string, ObjectKind, Signed])[] = [
    ['request', 'request', request().signed],
    ['decision', 'decision', approve('ana', seal())],
    ['envelope', 'envelope', seal().signed],
  ];
  const readers = { request: requestSchema, envelope: envelopeSchema } as const;

  test.each(good)('a %s with an accident is another object or none, and its signature does not verify', (_name, kind, signed) => {
    const [first] = signed.signatures;
    const key = kind === 'decision' ? keyOfPerson('ana').key : undefined;
    fc.assert(
      fc.property(mangled(JSON.stringify(signed)), (text) => {
        const value = throwsOnly(() => parseStrict(text), JsonRefused);
        const read = signedSchema.safeParse(value);
        if (!read.success) return;
        const payload = readPayload(kind, read.data);
        const isSame = read.data.payload === signed.payload && read.data.payloadType === signed.payloadType;
        if (payload !== undefined && !isSame) expect(digestOfSigned(read.data)).not.toBe(digestOfSigned(signed));
        if (key !== undefined && verifySigned(kind, read.data, key))
          expect({ isSame, sig: read.data.signatures[0] }).toEqual({ isSame: true, sig: first });
        if (kind in readers) readers[kind as keyof typeof readers].safeParse(payload);
        readDecision(read.data);
        readDelegation(read.data);
        readReply(read.data);
      }),
      runs,
    );
  });

  test('any value as any kind is refused or read, never thrown at', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...(Object.keys(PAYLOAD_TYPES) as ObjectKind[])), (value, kind) => {
        const payload = Buffer.from(JSON.stringify(value)).toString('base64url');
        const signed = { payloadType: PAYLOAD_TYPES[kind], payload, signatures: [{ keyid: 'a'.repeat(32), sig: '' }] } as unknown as Signed;
        readPayload(kind, signed);
        expect(readDecision(signed)).toBeUndefined();
        expect(readDelegation(signed)).toBeUndefined();
        expect(readReply(signed)).toBeUndefined();
      }),
      runs,
    );
  });

  test('an envelope with one place changed is no envelope, or one that can be shown', () => {
    const { envelope } = seal();
    fc.assert(
      fc.property(mangledValue(envelope), (value) => {
        // As it comes out of a payload: whatever is no strict JSON got no further than that.
        const text = throwsOnly(() => canonicalize(value ?? null), JsonRefused);
        const read = envelopeSchema.safeParse(text === undefined ? undefined : parseStrict(text));
        if (read.success) canonicalize(viewV1(read.data));
      }),
      runs,
    );
  });

  test('an entry with one place changed is refused or read', () => {
    const entry = {
      v: 1,
      deployment: 'acme-test',
      ledger: 'e'.repeat(32),
      epoch: 1,
      seq: 1,
      prev: null,
      prevOfAction: null,
      at: toInstant(NOW),
    };
    fc.assert(
      fc.property(
        mangledValue({ ...entry, kind: 'lodged', actionId: null, object: 'freeze', digest: 'f'.repeat(64), by: 'person:ana' }),
        (value) => {
          entrySchema.safeParse(value);
        },
      ),
      runs,
    );
  });
});

describe('texts with one spelling', () => {
  test('keys', () => {
    fc.assert(
      fc.property(fc.oneof(mangled(keyOfPerson('ana').key.text), anyText), (text) => {
        const key = parsePublicKey(text);
        if (key !== undefined) expect({ text: key.text, id: keyIdOfText(text) }).toEqual({ text, id: key.id });
      }),
      runs,
    );
  });

  test('moments', () => {
    fc.assert(
      fc.property(fc.oneof(mangled('2026-01-31T09:30:00.000Z'), anyText), (text) => {
        const read = instantSchema.safeParse(text);
        if (read.success) expect(toInstant(toMs(read.data))).toBe(text);
      }),
      runs,
    );
  });

  test('durations', () => {
    fc.assert(
      fc.property(fc.oneof(fc.stringMatching(/^[0-9]{1,10}(ms|s|m|h|d|w)?$/), mangled('30m'), anyText), (text) => {
        const ms = parseDuration(text);
        if (ms === undefined) return;
        expect(Number.isSafeInteger(ms) && ms > 0 && ms <= 90 * 86_400_000).toBe(true);
        expect(parseDuration(durationText(ms))).toBe(ms);
      }),
      runs,
    );
  });
});

describe('files', () => {
  const policy = policyText({
    when: 'action.params.cents > 50000',
    deny: ['payments.final'],
    more: ['budget: [{ per: all, within: 1h, limit: 2 }]'],
  });

  test('YAML: a value with its places, or problems with a line', () => {
    fc.assert(
      fc.property(fc.oneof(mangled(policy, ['&a', '*a', '!!js', '<<', '? ', '%YAML', '\t', '---']), anyText), (text) => {
        const read = readYaml(text, 'policy.yaml', 'policy_invalid');
        if (read.ok) canonicalize(read.value);
        else expect(read.problems.every(({ line }) => line >= 1)).toBe(true);
      }),
      runs,
    );
  });

  test('policy.yaml: whatever is left of it is refused, or rules without an exception', () => {
    fc.assert(
      fc.property(
        mangled(policy, ['quorum: 0', 'quorum: 1e9', 'effect: allow', 'when: "1 +"', 'cooldown: 1h', '.inf', '0x10']),
        fc.jsonValue(),
        (text, cents) => {
          const read = parsePolicy(text, 'policy.yaml');
          if (!read.ok) return expect(read.problems.length).toBeGreaterThan(0);
          lintPolicy(read.policy, ROSTER, 'policy.yaml', NOW);
          const ruling = evaluatePolicy(read.policy, ROSTER, { ...ASKED, params: { cents } as never }, NOW);
          // No accident to a rule that asks people makes it ask none.
          if (ruling.effect === 'hold') expect(ruling.stages.reduce((sum, { quorum }) => sum + quorum, 0)).toBeGreaterThan(0);
          else if (ruling.effect === 'allow') expect(ruling.budget.length).toBeGreaterThan(0);
        },
      ),
      runs,
    );
  });

  test('roster.yaml', () => {
    fc.assert(
      fc.property(mangled(ROSTER_TEXT, ['development: true', 'until: 2026-01-01T00:00:00.000Z', 'group:everyone', '[]']), (text) => {
        const read = parseRoster(text, 'roster.yaml');
        if (!read.ok) return expect(read.problems.length).toBeGreaterThan(0);
        // One key, one holder, whatever happened to the file.
        const { people, agents, executors, apiKeys } = read.roster;
        const keys = [...people.values(), ...agents.values(), ...executors.values(), { keys: apiKeys }].flatMap(({ keys: some }) =>
          some.map(({ key }) => key.id),
        );
        expect(new Set(keys).size).toBe(keys.length);
      }),
      runs,
    );
  });

  test('conditions: read or refused in words; what was read answers true, false or in words', () => {
    const token = fc.constantFrom(
      'action',
      '.',
      'params',
      'cents',
      'preview',
      'touches',
      '>',
      '==',
      '&&',
      '||',
      '!',
      '(',
      ')',
      '[',
      ']',
      '"a"',
      '1',
      '1u',
      'b"x"',
      '.exists(t, t',
      'matches',
      ',',
      '?',
      ':',
      '{',
      '}',
      'size',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(token, { maxLength: 14 }).map((all) => all.join('')),
          mangled('action.params.cents > 50000 && action.agent != "x"'),
          anyText,
        ),
        (text) => {
          const read = readCondition(text);
          if (!read.ok) return expect(read.text.length).toBeGreaterThan(0);
          try {
            expect(typeof read.condition.holds(ASKED, { touches: [], warnings: [], changes: [] })).toBe('boolean');
          } catch (error) {
            expect(error).toHaveProperty('name', 'PolicyError');
          }
        },
      ),
      runs,
    );
  });

  test('evidence: verified or failed at a step, whatever the file says', async () => {
    const { evidence } = await ranOnce();
    const text = fromUtf8(evidence);
    const by = roster();
    expect(verifyEvidence(evidence, by).ok).toBe(true);
    fc.assert(
      fc.property(mangled(text), (changed) => {
        expect(verifyEvidence(utf8(changed), by).ok).toBe(changed === text);
      }),
      { ...runs, numRuns: Math.min(runs.numRuns, 150) },
    );
    fc.assert(
      fc.property(mangledValue(JSON.parse(text)), (value) => {
        const changed = throwsOnly(() => `${canonicalize(value)}\n`, JsonRefused);
        if (changed !== undefined) expect(verifyEvidence(utf8(changed), by).ok).toBe(changed === text);
      }),
      { ...runs, numRuns: Math.min(runs.numRuns, 150) },
    );
  });
});

describe('the command line', () => {
  test('changes of parameters: read, or refused as usage', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(mangled('/cents=820000'), mangled('/to/iban="DE"'), anyText), { maxLength: 4 }), (texts) => {
        for (const each of texts) throwsOnly(() => readAssignment(each), CliError);
        throwsOnly(() => readPatch(texts), CliError);
        const params = throwsOnly(() => readParams(texts), CliError);
        if (params !== undefined) expect(Object.getPrototypeOf(params)).toBe(Object.prototype);
      }),
      runs,
    );
  });

  test('ready lines', () => {
    fc.assert(
      fc.property(fc.oneof(mangled('{"keyturn":"api","url":"http://127.0.0.1:1","pid":4}'), anyText), (line) => {
        const ready = parseReady(line);
        if (ready !== undefined) expect(typeof ready.keyturn).toBe('string');
      }),
      runs,
    );
  });
});
