import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { digestOfSigned, readPayload, type Signed } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import { entrySchema } from '../../src/domain/objects/entry.js';
import { checkLedger, type LedgerReport } from '../../src/executor/ledger/check.js';
import type { EntryRow, EnvelopeRow, LedgerSource } from '../../src/executor/ledger/source.js';
import { HandLedger, LEDGER, MINUTE, OPENED, seal } from '../helpers/hand-made.js';
import { approve, damaged, type SealedRevision } from '../helpers/messages.js';
import { DEPLOYMENT, rosterText } from '../helpers/rules-fixture.js';
import { EXECUTOR, signerOf } from '../helpers/signers.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';

const SEALED = seal();
const { id } = SEALED;
const NOW = OPENED + MINUTE;
const LABEL = `envelope ${SEALED.digest.slice(0, 12)}`;

function rosterOf(executorKeys?: string): Roster {
  const read = parseRoster(rosterText(executorKeys === undefined ? {} : { executorKeys }), 'roster.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.roster;
}
const ROSTER = rosterOf();

interface Book {
  readonly meta: Map<string, string>;
  readonly entries: EntryRow[];
  readonly envelopes: EnvelopeRow[];
}
const rowOf = (signed: Signed): EntryRow => {
  const { seq, actionId } = entrySchema.parse(readPayload('entry', signed));
  return { seq, actionId, digest: digestOfSigned(signed), signed };
};
const envelopeRow = ({ digest, view, signed }: SealedRevision): EnvelopeRow => ({ digest, actionId: id, view, signed });

/** A book of one action that ran, as an executor wrote it, honest or not. */
function book(
  write: (ledger: HandLedger) => void = (ledger) => ledger.ran(SEALED, [digestOfSigned(approve('ana', SEALED))], NOW),
  by = EXECUTOR,
): Book {
  const ledger = new HandLedger(id, by);
  ledger.sealed(SEALED, 'request', OPENED);
  write(ledger);
  const entries = ledger.entries.map(rowOf);
  const meta = { deployment: DEPLOYMENT, ledger: LEDGER, epoch: '1', seq: String(entries.length), head: entries.at(-1)?.digest ?? '' };
  return { meta: new Map(Object.entries(meta)), entries, envelopes: [envelopeRow(SEALED)] };
}
const sourceOf = ({ meta, entries, envelopes }: Book): LedgerSource => ({
  meta: async () => meta,
  async *entries() {
    yield* entries;
  },
  async *envelopes() {
    yield* envelopes;
  },
});
const said = (report: LedgerReport): string =>
  report.ok ? `${report.entries} entries, ${report.envelopes} envelopes` : `${report.step}: ${report.text}`;
const check = async (made: Book, roster = ROSTER): Promise<string> => said(await checkLedger(sourceOf(made), roster));
const changed = (change: (made: Book) => void, made = book()): Book => {
  change(made);
  return made;
};
const entryAt = (made: Book, n: number): EntryRow => {
  const row = made.entries[n - 1];
  if (row === undefined) throw new Error(`no entry ${n}`);
  return row;
};

describe('a whole book holds, or the first thing that does not is named', () => {
  test('an honest one', async () => {
    expect(await check(book())).toBe('5 entries, 1 envelopes');
    const empty: Book = {
      meta: new Map(Object.entries({ deployment: DEPLOYMENT, ledger: LEDGER, epoch: '1', seq: '0' })),
      entries: [],
      envelopes: [],
    };
    expect(await check(empty)).toBe('0 entries, 0 envelopes');
  });

  test.each<[string, (made: Book) => void, string]>([
    ['of another deployment', ({ meta }) => void meta.set('deployment', 'acme-prod'), 'meta: the book is of deployment acme-prod'],
    ['of none', ({ meta }) => void meta.delete('deployment'), 'meta: the book is of deployment none'],
    ['of another ledger', ({ meta }) => void meta.set('ledger', 'f'.repeat(32)), 'entry 1: of another ledger or deployment'],
    ['another epoch', ({ meta }) => void meta.set('epoch', '2'), 'meta: the book says epoch 2, its entries 1'],
    ['no epoch', ({ meta }) => void meta.delete('epoch'), 'meta: the book says epoch none, its entries 1'],
    ['an entry cut off', ({ entries }) => void entries.pop(), 'meta: entries are missing at the end of the book'],
    ['another head', ({ meta }) => void meta.set('head', 'a'.repeat(64)), 'meta: entries are missing at the end of the book'],
    ['no head', ({ meta }) => void meta.delete('head'), 'meta: entries are missing at the end of the book'],
    ['the first entry left out', ({ entries }) => void entries.shift(), 'entry 2: entry 1 is missing before it'],
    ['an entry left out', ({ entries }) => void entries.splice(2, 1), 'entry 4: entry 3 is missing before it'],
    [
      'a row with another number',
      (made) => void made.entries.splice(1, 1, { ...entryAt(made, 3), seq: 2 }),
      'entry 2: its row says other than its bytes',
    ],
    [
      'a row of another action',
      (made) => void made.entries.splice(1, 1, { ...entryAt(made, 2), actionId: seal({ actionId: `act_${'0'.repeat(26)}` }).id }),
      'entry 2: its row says other than its bytes',
    ],
    [
      'a row with another digest',
      (made) => void made.entries.splice(1, 1, { ...entryAt(made, 2), digest: SEALED.digest }),
      'entry 2: its row says other than its bytes',
    ],
    [
      'something else in its place',
      (made) => void made.entries.splice(1, 1, { ...entryAt(made, 2), signed: SEALED.signed }),
      'entry 2: not an entry: see the schema of entry v1',
    ],
    [
      'a signature that is none',
      (made) => void made.entries.splice(1, 1, { ...entryAt(made, 2), signed: damaged(entryAt(made, 2).signed) }),
      'entry 2: its signature is not by the executor over these bytes',
    ],
    ['an envelope missing', ({ envelopes }) => void envelopes.pop(), `${LABEL}: of ${id} is missing`],
    [
      'an envelope that no entry names',
      ({ envelopes }) => void envelopes.push(envelopeRow(seal({ nonce: 'e'.repeat(32) }))),
      `envelope ${seal({ nonce: 'e'.repeat(32) }).digest.slice(0, 12)}: no entry names it so`,
    ],
    [
      'an envelope by another view',
      ({ envelopes }) => void envelopes.splice(0, 1, { ...envelopeRow(SEALED), view: SEALED.digest }),
      `${LABEL}: no entry names it so`,
    ],
    [
      'an envelope of another action',
      ({ envelopes }) => void envelopes.splice(0, 1, { ...envelopeRow(SEALED), actionId: seal({ actionId: `act_${'0'.repeat(26)}` }).id }),
      `${LABEL}: no entry names it so`,
    ],
    [
      'other bytes than its entry names',
      ({ envelopes }) => void envelopes.splice(0, 1, { ...envelopeRow(SEALED), signed: seal({ nonce: 'e'.repeat(32) }).signed }),
      `${LABEL}: its bytes are not those its entry names`,
    ],
    [
      'no envelope at all in its place',
      ({ envelopes }) => void envelopes.splice(0, 1, { ...envelopeRow(SEALED), signed: approve('ana', SEALED) }),
      `${LABEL}: its bytes are not those its entry names`,
    ],
    [
      'an envelope nobody signed',
      ({ envelopes }) => void envelopes.splice(0, 1, { ...envelopeRow(SEALED), signed: damaged(SEALED.signed) }),
      `${LABEL}: its signature is not by the executor over these bytes`,
    ],
  ])('%s', async (_name, change, words) => {
    expect(await check(changed(change))).toBe(words);
  });

  test('links that do not fit, though they are signed', async () => {
    const forged = (forge: Readonly<Record<string, unknown>>): Book =>
      book((ledger) => void ledger.append({ kind: 'executing', digest: SEALED.digest, decisions: [] }, NOW, forge));
    expect(await check(forged({ prev: 'a'.repeat(64) }))).toBe(
      'entry 2: does not follow the entry before it: one is missing, added or changed',
    );
    expect(await check(forged({ prevOfAction: null }))).toBe("entry 2: does not follow its action's entry before it");
    expect(await check(forged({ epoch: 2 }))).toBe('entry 2: of another epoch, which no restore began');
    expect(await check(forged({ deployment: 'acme-prod' }))).toBe('entry 2: of another ledger or deployment');
    expect(await check(forged({ ledger: 'f'.repeat(32) }))).toBe('entry 2: of another ledger or deployment');
  });
  test('an entry of no action stands beside the chains of the actions; a restore alone begins an epoch, and only a later one', async () => {
    const restored = (epoch: number, object: 'restore' | 'freeze', meta = epoch): Book =>
      changed(
        (made) => void made.meta.set('epoch', String(meta)),
        book((ledger) => {
          const lodged = { kind: 'lodged', actionId: null, object, digest: SEALED.digest, by: 'executor:bank' } as const;
          ledger.append(lodged, NOW, { actionId: null, prevOfAction: null, epoch });
        }),
      );
    expect(await check(restored(1, 'freeze'))).toBe('2 entries, 1 envelopes');
    expect(await check(restored(2, 'restore'))).toBe('2 entries, 1 envelopes');
    expect(await check(restored(2, 'restore', 1))).toBe('meta: the book says epoch 1, its entries 2');
    expect(await check(restored(2, 'freeze'))).toBe('entry 2: of another epoch, which no restore began');
  });
  test('by nobody, by who is no executor, or by a key whose time was over', async () => {
    const stranger = 'entry 1: its key belongs to no executor of this roster';
    expect(await check(book(() => undefined, signerOf('stranger')))).toBe(stranger);
    expect(await check(book(() => undefined, signerOf('person:ana')))).toBe(stranger);
    const until = rosterOf(`{ key: '${EXECUTOR.key.text}', until: '${toInstant(NOW)}' }`);
    expect(await check(book(), until)).toBe('entry 2: the key of executor bank was not valid then');
    const from = rosterOf(`{ key: '${EXECUTOR.key.text}', from: '${toInstant(OPENED + 1)}' }`);
    expect(await check(book(), from)).toBe('entry 1: the key of executor bank was not valid then');
  });
  test('rows of another form, and what is no fault of the book', async () => {
    const broken = (meta: LedgerSource['meta']): LedgerSource => ({ ...sourceOf(book()), meta });
    const unreadable = broken(async () => new Map([['deployment', z.string().parse(1)]]));
    expect(said(await checkLedger(unreadable, ROSTER))).toBe('rows: a row is not what this build writes');
    await expect(
      checkLedger(
        broken(() => Promise.reject(new Error('away'))),
        ROSTER,
      ),
    ).rejects.toThrow('away');
  });
});
