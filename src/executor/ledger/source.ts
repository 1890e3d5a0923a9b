import { z } from 'zod';
import { signedSchema, type Signed } from '../../domain/dsse.js';
import { parseStrict } from '../../domain/json.js';
import type { Database, Row, Sql, Value } from './database.js';

const PAGE = 500;

export interface EntryRow {
  readonly seq: number;
  readonly actionId: string | null;
  readonly digest: string;
  readonly signed: Signed;
}
export interface EnvelopeRow {
  readonly digest: string;
  readonly actionId: string;
  readonly view: string;
  readonly signed: Signed;
}

/** A ledger as somebody who checks it reads it: in pages, for a book has no last page. */
export interface LedgerSource {
  meta(): Promise<ReadonlyMap<string, string>>;
  entries(): AsyncIterable<EntryRow>;
  envelopes(): AsyncIterable<EnvelopeRow>;
}

const signedText = z.string().transform((text) => signedSchema.parse(parseStrict(text)));
const entryRow = z.object({ seq: z.number(), action_id: z.string().nullable(), digest: z.string(), signed: signedText });
const envelopeRow = z.object({ digest: z.string(), action_id: z.string(), view: z.string(), signed: signedText });

type All = (sql: string, ...values: Value[]) => Promise<Row[]>;
export const sourceOf = (database: Database): LedgerSource =>
  sourceOver((sql, ...values) => database.transaction((tx) => tx.all(sql, ...values)));
/** As one transaction sees it. */
export const sourceIn = (sql: Sql): LedgerSource => sourceOver((text, ...values) => sql.all(text, ...values));

function sourceOver(all: All): LedgerSource {
  return {
    async meta() {
      return new Map((await all('SELECT key, value FROM meta')).map((row) => [String(row['key']), String(row['value'])]));
    },
    async *entries() {
      let last = 0;
      for (;;) {
        const rows = await all(`SELECT seq, action_id, digest, signed FROM entry WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`, last);
        for (const row of rows) {
          const { seq, action_id: actionId, digest, signed } = entryRow.parse(row);
          last = seq;
          yield { seq, actionId, digest, signed };
        }
        if (rows.length < PAGE) return;
      }
    },
    async *envelopes() {
      let last = '';
      for (;;) {
        const rows = await all(`SELECT digest, action_id, view, signed FROM envelope WHERE digest > ? ORDER BY digest LIMIT ${PAGE}`, last);
        for (const row of rows) {
          const { digest, action_id: actionId, view, signed } = envelopeRow.parse(row);
          last = digest;
          yield { digest, actionId, view, signed };
        }
        if (rows.length < PAGE) return;
      }
    },
  };
}
