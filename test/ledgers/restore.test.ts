import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { canonicalize, parseStrict } from '../../src/domain/json.js';
import { readPayload, signedSchema, type Signed } from '../../src/domain/dsse.js';
import { parseRoster } from '../../src/domain/roster.js';
import { sha256 } from '../../src/domain/hash.js';
import { utf8 } from '../../src/domain/bytes.js';
import { checkLedger } from '../../src/executor/ledger/check.js';
import { sourceOf } from '../../src/executor/ledger/source.js';
import { readBackup } from '../../src/executor/ledger/backup-file.js';
import { LedgerRefused, type Database } from '../../src/executor/ledger/database.js';
import { initLedger, openLedger } from '../../src/executor/ledger/ledger.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { roster } from '../cli/ran-once.js';
import { dump, KINDS } from '../executor/ledger/databases.js';
import { approve, cancel, damaged, reject, request, resolve, thaw, type SealedRevision } from '../helpers/messages.js';
import { backupOf, forget, restoredFrom, restoreInto } from '../helpers/restored.js';
import { DEPLOYMENT, ONE_OF_FINANCE, policyText, rosterText, TestRules } from '../helpers/rules-fixture.js';
import { EXECUTOR, signerOf } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';
import { ask, held, HOUR, World } from '../helpers/world.js';
import { play } from './scene.js';

const votes = (sealed: SealedRevision): Signed[] => [approve('ana', sealed), approve('ben', sealed)];
const files: string[] = [];
const opened: Database[] = [];
beforeAll(async () => {
  for (const kind of KINDS) await kind.start();
});
afterEach(async () => {
  for (const file of files.splice(0)) await forget(file);
  for (const database of opened.splice(0)) await database.close();
});
afterAll(async () => {
  for (const kind of KINDS) await kind.stop();
});
const keep = async (file: Promise<string>): Promise<string> => {
  files.push(await file);
  return file;
};
const tables = async (database: Database): Promise<string> =>
  (await dump(database)).replace(/\[\\"value\\",\\"[^"]*\\"\]/g, '').replaceAll('"', '');

describe.each(KINDS)('restored ledger on $kind', (kind) => {
  const empty = async (): Promise<Database> => {
    const database = await (await kind.place()).open();
    opened.push(database);
    return database;
  };
  async function busy(rules?: TestRules): Promise<World> {
    const database = await empty();
    await initLedger(database, DEPLOYMENT);
    return World.open({ database, ...(rules === undefined ? {} : { rules }) });
  }
  /** A backup is made, `since` happens on the old ledger, which is then lost. */
  async function lost<T>(world: World, since: () => Promise<T>) {
    const file = await keep(backupOf(world.database, world.clock.ms));
    const happened = await since();
    world.clock.pass(HOUR);
    return { ...(await restoredFrom(world, file, await empty())), happened, old: world };
  }
  const unfreeze = async (world: World, freeze: Parameters<typeof thaw>[1]): Promise<void> => {
    for (const person of ['cleo', 'eva']) await world.lodge(null, thaw(person, freeze, { at: world.clock.ms }));
  };

  test('each database restores what either backed up: every row, and it verifies', async () => {
    const world = await busy();
    await play(world);
    const file = await keep(backupOf(world.database, world.clock.ms));
    for (const other of KINDS) {
      const target = await (await other.place()).open();
      opened.push(target);
      const restored = await restoreInto(target, file, world.clock.ms);
      expect(restored.identity).toMatchObject({ ledger: world.executor.ledger.identity.ledger, epoch: 2 });
      expect(restored.inDoubt).toBe(4);
      expect(await checkLedger(sourceOf(target), roster())).toEqual({ ok: true, entries: restored.entries + 1 + 4, envelopes: 8 });
      const untouched = (database: Database) =>
        database.transaction(async (sql) => [
          await sql.all('SELECT * FROM envelope ORDER BY digest'),
          await sql.all('SELECT * FROM entry WHERE seq <= ? ORDER BY seq', restored.entries),
          await sql.all("SELECT * FROM lodged WHERE object <> 'restore' ORDER BY at, digest"),
          await sql.all("SELECT * FROM action WHERE state = 'ended' ORDER BY id"),
        ]);
      expect(canonicalize((await untouched(target)) as never)).toBe(canonicalize(await untouched(world.database)));
    }
  });

  test('attack: a restored ledger: what ran before the backup is known as ended, and old votes run nothing', async () => {
    const before = await busy();
    const ran = await before.propose({ idempotencyKey: 'ran' });
    await before.run(ran, votes(ran));
    const { world, restored } = await lost(before, async () => undefined);
    await unfreeze(world, restored.freeze);
    expect(await world.seal(ran.id, request({ idempotencyKey: 'ran' }).signed)).toEqual({ kind: 'end' });
    expect(await world.advance(ran, votes(ran))).toEqual({ kind: 'end' });
    expect(world.outcome(ran.id).status).toBe('succeeded');
    expect(world.bank.effectsOf(ran.id)).toEqual(['run']);
  });

  test('attack: a restored ledger: what ran after the backup never runs again by its old votes: it is in doubt until people looked', async () => {
    const before = await busy();
    const pending = await before.propose({ idempotencyKey: 'pending' });
    const { world, restored } = await lost(before, () => before.run(pending, votes(pending)));
    expect(world.bank.effectsOf(pending.id)).toEqual(['run']);
    expect(await world.advance(pending, votes(pending))).toMatchObject({ kind: 'wait', code: 'outcome_unknown' });
    await unfreeze(world, restored.freeze);
    expect(await world.advance(pending, votes(pending))).toMatchObject({ kind: 'wait', code: 'outcome_unknown' });

    // Asked again under the same key, it is the same action, not a new seal; nothing ends it as if nothing had run.
    expect(held(await world.seal(pending.id, request({ idempotencyKey: 'pending' }).signed)).digest).toBe(pending.digest);
    expect(world.kinds(pending.id)).toEqual(['sealed', 'restored']);
    world.clock.pass(48 * HOUR);
    for (const reason of ['expired', 'cancelled', 'rejected'] as const)
      expect(await world.close(pending.id, reason)).toMatchObject({ kind: 'refused', code: 'already_executed' });
    expect(await world.lodge(pending.id, reject('cleo', pending))).toMatchObject({ kind: 'refused', code: 'decision_late' });
    await world.lodge(pending.id, cancel(pending.id, { at: world.clock.ms }));
    expect(world.statuses.get(pending.id)).toBe('outcome_unknown');

    const found = resolve('eva', pending.id, 1, 'happened', { at: world.clock.ms });
    expect(await world.lodge(pending.id, found)).toMatchObject({ kind: 'stands' });
    expect(await world.run(pending)).toEqual({ kind: 'end' });
    expect(world.outcome(pending.id)).toMatchObject({ status: 'succeeded', effect: 'done' });
    expect(world.bank.callsOf('run')).toHaveLength(1);
    expect(await checkLedger(sourceOf(world.database), roster())).toMatchObject({ ok: true });

    const { entries } = await ask(world.executor, 'report', { actionId: pending.id, have: 0 });
    const evidence = buildEvidence(snapshotOf({ id: pending.id, entries, revisions: [pending], messages: [found] }));
    const verified = verifyEvidence(evidence, roster());
    expect(verified).toMatchObject({ ok: true, outcome: { status: 'succeeded' }, counted: [] });
    expect(verified.ok && verified.warnings.join()).toContain(
      "entry 2: the ledger was restored while it waited for people; what it says of its end is what people found out,entry 3: the cancel by agent:ap-agent is not in the file: the executor's word alone",
    );
  });

  test('what did not run after the backup: a person says so, and it ends as failed, effect none', async () => {
    const before = await busy();
    const pending = await before.propose();
    const { world } = await lost(before, async () => undefined);
    await world.lodge(pending.id, resolve('eva', pending.id, 1, 'did_not', { at: world.clock.ms }));
    expect(await world.run(pending)).toEqual({ kind: 'end' });
    expect(world.outcome(pending.id)).toMatchObject({ status: 'failed', effect: 'none' });
    expect(world.bank.callsOf('run')).toEqual([]);
  });

  test('attack: a restored ledger: sealed and run after the backup, unknown to it: not sealed anew while frozen, and then never without a warning', async () => {
    const before = await busy();
    await before.propose();
    const {
      world,
      restored,
      happened: first,
    } = await lost(before, async () => {
      const sealed = await before.propose({ idempotencyKey: 'gap' });
      await before.run(sealed, votes(sealed));
      return sealed;
    });
    const again = () => world.seal(first.id, request({ idempotencyKey: 'gap' }).signed);
    expect(await again()).toMatchObject({ kind: 'wait', code: 'frozen' });
    expect(await world.advance(first, votes(first))).toMatchObject({ kind: 'refused', code: 'revision_stale' });
    // "Cancelled, nothing ran" would be a guess.
    for (const reason of ['cancelled', 'expired'] as const)
      expect(await world.close(first.id, reason)).toMatchObject({ kind: 'refused', code: 'audience_mismatch' });
    await world.lodge(null, thaw('cleo', restored.freeze, { at: world.clock.ms }));
    expect(await again()).toMatchObject({ kind: 'wait', code: 'frozen' });
    expect(world.kinds(first.id)).toEqual([]);
    await world.lodge(null, thaw('eva', restored.freeze, { at: world.clock.ms }));

    const second = held(await again());
    expect([second.envelope.epoch, second.envelope.preview.warnings[0]]).toEqual([
      2,
      expect.stringMatching(/^This ledger was restored on 2026-06-01T10:00:00.000Z from a backup of 2026-06-01T09:00:00.000Z\./),
    ]);
    expect(second.digest).not.toBe(first.digest);
    expect(await world.advance(second, votes(first))).toMatchObject({ kind: 'ask', code: 'revision_stale' });
    // Should people agree once more, the target sees the key it has seen before: a target that keeps its contract acts once.
    expect(await world.run(second, votes(second))).toEqual({ kind: 'end' });
    expect(world.bank.callsOf('run')).toEqual([`${first.id}/run/run/1`, `${first.id}/run/run/1`]);
    expect(world.bank.effectsOf(first.id)).toEqual(['run']);
  });

  test('attack: a restored ledger: half done at the backup: no step starts, and no undo but by a finding of people', async () => {
    const before = await busy();
    const half = await before.propose({ type: 'payments.batch' });
    await before.advance(half, votes(half));
    const { world, restored } = await lost(before, () => before.run(half));
    await unfreeze(world, restored.freeze);
    expect(await world.advance(half, [], { stop: true })).toMatchObject({ kind: 'wait', code: 'outcome_unknown' });
    expect(await world.lodge(half.id, resolve('eva', half.id, 1, 'happened', { at: world.clock.ms }))).toMatchObject({ kind: 'refused' });
    expect(world.bank.undone.size).toBe(0);
    expect(world.bank.effectsOf(half.id)).toEqual(['reserve', 'send', 'notify']);
  });

  test('half done, and it went no further: what was done is undone', async () => {
    const before = await busy();
    const half = await before.propose({ type: 'payments.batch' });
    const agreed = votes(half);
    await before.advance(half, agreed);
    const { world } = await lost(before, async () => undefined);
    const found = resolve('eva', half.id, 2, 'did_not', { at: world.clock.ms });
    await world.lodge(half.id, found);
    expect(await world.run(half)).toEqual({ kind: 'end' });
    expect(world.outcome(half.id).status).toBe('compensated');
    expect(world.bank.effectsOf(half.id)).toEqual([]);
    const { entries } = await ask(world.executor, 'report', { actionId: half.id, have: 0 });
    const evidence = buildEvidence(snapshotOf({ id: half.id, entries, revisions: [half], decisions: agreed, messages: [found] }));
    expect(verifyEvidence(evidence, roster())).toMatchObject({ ok: true, outcome: { status: 'compensated' } });
  });

  test('attack: a restored ledger: it starts frozen, for new actions too; two of security thaw it, as the policy says, and by this restore alone', async () => {
    const before = await busy();
    const fresh = await before.propose();
    const { world, restored } = await lost(before, async () => undefined);
    await unfreeze(world, fresh.digest);
    const wait = await world.seal(request({ idempotencyKey: 'new' }).id, request({ idempotencyKey: 'new' }).signed);
    expect(wait).toMatchObject({ kind: 'wait', code: 'frozen' });
    expect(await world.lodge(null, thaw('ana', restored.freeze, { at: world.clock.ms }))).toMatchObject({ code: 'not_eligible' });
    await unfreeze(world, restored.freeze);
    const sealed = await world.propose({ idempotencyKey: 'new' });
    expect(await world.run(sealed, votes(sealed))).toEqual({ kind: 'end' });
  });

  test('attack: a restored ledger: an epoch raised by hand, or a restore whose freeze was taken out, is no ledger', async () => {
    const before = await busy();
    const { world } = await lost(before, async () => undefined);
    const refusedAfter = async (text: string): Promise<void> => {
      await world.database.transaction((sql) => sql.run(text));
      await expect(openLedger(world.database, DEPLOYMENT, EXECUTOR)).rejects.toThrow('no restore that began it');
    };
    await refusedAfter("UPDATE meta SET value = '3' WHERE key = 'epoch'");
    expect(await checkLedger(sourceOf(world.database), roster())).toMatchObject({ ok: false, step: 'meta' });
    await world.database.transaction((sql) => sql.run("UPDATE meta SET value = '2' WHERE key = 'epoch'"));
    await refusedAfter("DELETE FROM lodged WHERE object = 'restore'");
  });

  test('attack 76: a restored ledger has not forgotten what was taken out of a budget, and what it cannot know of counts as taken', async () => {
    const budget = `  - { name: small, match: { type: payments.transfer }, effect: allow, because: Small., budget: [{ per: agent, within: 24h, limit: 2 }], executeWithin: 5m, resolve: { from: [group:finance-leads], quorum: 1 } }\n`;
    const before = await busy(new TestRules(policyText({ first: budget, stages: ONE_OF_FINANCE })));
    const pay = async (world: World): Promise<SealedRevision> => world.propose({ params: { vendor: 'ACME', cents: 1 } });
    await before.run(await pay(before));
    const charged = (world: World) => world.database.transaction((sql) => sql.all('SELECT * FROM charge ORDER BY action_id, rule, what'));
    const known = await charged(before);
    expect(known).toMatchObject([{ what: '', amount: 1 }, { what: '/cents' }]);
    const { world, restored } = await lost(before, async () => before.run(await pay(before)));
    expect(await charged(world)).toEqual(known);
    expect(before.bank.effects).toHaveLength(2);

    await unfreeze(world, restored.freeze);
    const asked = async (): Promise<string> => (await pay(world)).envelope.rule.effect;
    expect(await asked()).toBe('hold');
    world.clock.pass(24 * HOUR - 1);
    expect(await asked()).toBe('hold');
    world.clock.pass(1);
    expect(await asked()).toBe('allow');
    expect(world.bank.effects).toHaveLength(2);
  });

  test('restored twice, both freezes stand until both are thawed', async () => {
    const before = await busy();
    const { world: second, restored: first } = await lost(before, async () => undefined);
    const { world: third, restored } = await lost(second, async () => undefined);
    expect(restored.identity.epoch).toBe(3);
    const { id, signed } = request();
    await unfreeze(third, restored.freeze);
    expect(await third.seal(id, signed)).toMatchObject({ kind: 'wait', code: 'frozen' });
    await unfreeze(third, first.freeze);
    expect(await third.seal(id, signed)).toMatchObject({ kind: 'sealed' });
    expect(await checkLedger(sourceOf(third.database), roster())).toMatchObject({ ok: true });
  });

  test('a backup is one moment, while an executor goes on', async () => {
    const world = await busy();
    const going = (async () => {
      for (let i = 0; i < 5; i++) {
        const sealed = await world.propose();
        await world.run(sealed, votes(sealed));
      }
    })();
    const made = await Promise.all(Array.from({ length: 3 }, () => keep(backupOf(world.database, world.clock.ms))));
    await going;
    for (const file of made)
      expect(await checkLedger(sourceOf((await restoredFrom(world, file, await empty())).world.database), roster())).toMatchObject({
        ok: true,
      });
  });

  test('an old book is never overwritten, and one that does not verify is not backed up', async () => {
    const world = await busy();
    await world.propose();
    const file = await keep(backupOf(world.database, world.clock.ms));
    const before = await tables(world.database);
    await expect(restoreInto(world.database, file, 0)).rejects.toThrow('There is something here already');
    expect(await tables(world.database)).toBe(before);
    await world.database.transaction((sql) => sql.run('DELETE FROM envelope'));
    await expect(keep(backupOf(world.database, 0))).rejects.toThrow('No backup was made of it');
  });
});

describe('a backup file', () => {
  async function made(): Promise<{ readonly file: string; readonly lines: string[] }> {
    const world = await World.open();
    opened.push(world.database);
    await play(world);
    const file = await keep(backupOf(world.database, world.clock.ms));
    return { file, lines: (await readFile(file, 'utf8')).trimEnd().split('\n') };
  }
  const refusal = async (file: string, lines: readonly string[]): Promise<string> => {
    await writeFile(file, `${lines.join('\n')}\n`);
    const error = await readBackup(file, roster()).catch((each: unknown) => each);
    if (!(error instanceof LedgerRefused)) throw new Error(`not refused: ${String(error)}`);
    return error.message;
  };

  test('attack: changed, cut off, padded, reordered, or of another kind: refused before a row of it is used', async () => {
    const { file, lines } = await made();
    const end = lines.at(-1) ?? '';
    const body = lines.slice(0, -1);
    const stopped = body.findIndex((line) => line.startsWith('["action"'));
    const changed = body.map((line, i) => (i === stopped ? line.replace('"stop":null', '"stop":"x"') : line));
    expect(changed).not.toEqual(body);
    expect(await refusal(file, [...changed, end])).toContain('it was changed');
    expect(await refusal(file, [...body.slice(0, -1), end])).toContain('it was changed');
    expect(await refusal(file, [...body, body[2] ?? '', end])).toContain('it was changed');
    expect(await refusal(file, [...body.slice(0, -2), body.at(-1) ?? '', body.at(-2) ?? '', end])).toContain('it was changed');
    expect(await refusal(file, body)).toContain(
      'This backup is not restored: its last line is not the signed end of a backup; it may be cut off.',
    );
    expect(await refusal(file, [...body, end.slice(0, -4)])).toContain('This backup is not restored: its last line is no JSON.');
    expect(await refusal(file, ['"letter"', ...body.slice(1), end])).toContain(
      'This backup is not restored: it is no keyturn/ledger-backup@1.',
    );
    expect(await refusal(file, [...body.slice(0, 2), '["action; DROP TABLE meta",{}]', ...body.slice(2), end])).toContain(
      'This backup is not restored: line 3 is no row.',
    );
    expect(await refusal(file, [])).toContain('This backup is not restored: its last line is no JSON.');
  });

  /** The end an executor signs under these lines, or says it does. */
  const endOf = (body: readonly string[], lines: readonly string[], change: Record<string, unknown> = {}, signer = EXECUTOR): string => {
    const { payload } = signedSchema.parse(parseStrict(lines.at(-1) ?? ''));
    const said = parseStrict(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const digest = sha256(utf8(`${body.join('\n')}\n`));
    return canonicalize(signer.sign('backup', { ...said, rows: body.length - 1, digest, ...change }));
  };

  test('attack: signed again by who is no executor of the roster, or of another deployment', async () => {
    const { file, lines } = await made();
    const body = lines.slice(0, -1);
    const signedBy = (signer: typeof EXECUTOR, change: Record<string, unknown> = {}): string => endOf(body, lines, change, signer);
    expect(await refusal(file, [...body, signedBy(signerOf('person:ana'))])).toContain(
      'This backup is not restored: no executor of this roster signed it.',
    );
    expect(await refusal(file, [...body, signedBy(EXECUTOR, { deployment: 'acme-prod' })])).toContain(
      'This backup is not restored: it is of deployment acme-prod, the roster names acme-test.',
    );
    await writeFile(file, `${[...body, signedBy(EXECUTOR)].join('\n')}\n`);
    expect((await readBackup(file, roster())).backup.rows).toBe(body.length - 1);

    const database = opened[0];
    if (database === undefined) throw new Error('no ledger');
    for (const [change, words] of [
      [{ schema: 900 }, 'made by a newer build'],
      [{ epoch: 7 }, 'another ledger than its signed end says'],
      [{ ledger: '0'.repeat(32) }, 'another ledger than its signed end says'],
      [{ schema: 1 }, 'This backup is of another ledger than its signed end says. Nothing was restored.'],
      [{ seq: 1 }, 'This backup is of another ledger than its signed end says. Nothing was restored.'],
      [{ head: 'a'.repeat(64) }, 'This backup is of another ledger than its signed end says. Nothing was restored.'],
      [{ head: null }, 'This backup is of another ledger than its signed end says. Nothing was restored.'],
    ] as const) {
      await writeFile(file, `${[...body, signedBy(EXECUTOR, change)].join('\n')}\n`);
      await expect(restoredFrom(await World.open(), file)).rejects.toThrow(words);
    }
  });

  test('attack: a signature that is none, or by a key whose time was over, or had not come, when it was made', async () => {
    const { file, lines } = await made();
    const [body, end] = [lines.slice(0, -1), lines.at(-1) ?? ''];
    const nobody = 'This backup is not restored: no executor of this roster signed it.';
    const signed = signedSchema.parse(parseStrict(end));
    expect(await refusal(file, [...body, canonicalize(damaged(signed))])).toBe(nobody);
    const at = '2026-06-01T09:00:00.000Z';
    for (const [time, words] of [
      [`until: '${at}'`, nobody],
      [`from: '2026-06-01T09:00:00.001Z'`, nobody],
      [`from: '${at}', until: '2026-06-01T09:00:00.001Z'`, undefined],
    ] as const) {
      await writeFile(file, `${lines.join('\n')}\n`);
      const read = parseRoster(rosterText({ executorKeys: `{ key: '${EXECUTOR.key.text}', ${time} }` }), 'roster.yaml');
      if (!read.ok) throw new Error('roster');
      const reading = readBackup(file, read.roster);
      if (words === undefined) expect((await reading).backup.at).toBe(at);
      else await expect(reading).rejects.toThrow(words);
    }
    const other = canonicalize(EXECUTOR.sign('manifest', {}));
    expect(await refusal(file, [...body, other])).toBe(
      'This backup is not restored: its last line is not the signed end of a backup; it may be cut off.',
    );
  });

  test('attack: signed by an executor, but with rows of no table, of other columns, or that are none', async () => {
    const { file, lines } = await made();
    const body = lines.slice(0, -1);
    const with_ = (line: string): string[] => [...body, line, endOf([...body, line], lines)];
    for (const [line, words] of [
      ['["action; DROP TABLE meta",{}]', `line ${lines.length} is no row`],
      ['["; action",{}]', `line ${lines.length} is no row`],
      ['["action",{"id; --":"x"}]', `line ${lines.length} is no row`],
      ['["action",{"; id":"x"}]', `line ${lines.length} is no row`],
      ['["action",{"id":true}]', `line ${lines.length} is no row`],
      ['["action", {}]', `line ${lines.length} is no row`],
      ['["action",{"id":"x"},1]', `line ${lines.length} is no row`],
      ['nothing', `line ${lines.length} is no JSON`],
      [`"${'x'.repeat(3_999_999)}"`, `line ${lines.length} is too long`],
      [`"${'x'.repeat(3_999_998)}"`, `line ${lines.length} is no row`],
    ] as const)
      expect(await refusal(file, with_(line))).toBe(`This backup is not restored: ${words}.`);
    for (const line of [
      '["letter",{"a":1}]',
      '["meta",{"key":"x"}]',
      '["meta",{"a":1,"key":"x","value":"y"}]',
      '["meta",{"key":"x","values":"y"}]',
    ]) {
      await writeFile(file, `${with_(line).join('\n')}\n`);
      const table = /"(\w+)"/.exec(line)?.[1] ?? '';
      const empty = openSqlite(':memory:', { create: true });
      opened.push(empty);
      await expect(restoreInto(empty, file, 0)).rejects.toThrow(
        new LedgerRefused(`This backup has a row of ${table} that is none of schema 2. Nothing was restored.`),
      );
      expect(await empty.transaction((sql) => sql.all("SELECT name FROM sqlite_master WHERE type = 'table'"))).toEqual([]);
    }
  });

  test('a file that is not there, and one row fewer or more than its end says', async () => {
    await expect(readBackup('/nowhere/ledger.backup', roster())).rejects.toThrow(
      /^This backup is not restored: (?:Error: )?ENOENT: no such file or directory, open '\/nowhere\/ledger\.backup'\.$/,
    );
    const { file, lines } = await made();
    const body = lines.slice(0, -1);
    for (const rows of [body.length - 2, body.length])
      expect(await refusal(file, [...body, endOf(body, lines, { rows })])).toBe(
        'This backup is not restored: its rows are not those its executor signed: it was changed.',
      );
  });

  test('what is restored says who restored it, from which backup and when, and is told at every start', async () => {
    const world = await World.open();
    const file = await keep(backupOf(world.database, world.clock.ms));
    world.clock.pass(HOUR);
    const { world: restored, restored: made_ } = await restoredFrom(world, file);
    opened.push(world.database, restored.database);
    const { digest } = await readBackup(file, roster());
    expect(made_).toMatchObject({ entries: 0, inDoubt: 0, identity: { deployment: DEPLOYMENT, epoch: 2 } });
    const [row] = await restored.database.transaction((sql) => sql.all('SELECT * FROM lodged'));
    expect(row).toMatchObject({ digest: made_.freeze, action_id: null, object: 'restore', by_whom: 'executor:bank', at: world.clock.ms });
    const said = readPayload('restore', signedSchema.parse(parseStrict(String(row?.['signed']))));
    expect(said).toEqual({
      v: 1,
      ...made_.identity,
      nonce: expect.stringMatching(/^[0-9a-f]{32}$/),
      backup: digest,
      backupAt: '2026-06-01T09:00:00.000Z',
      at: '2026-06-01T10:00:00.000Z',
    });
    const again = await openLedger(restored.database, DEPLOYMENT, EXECUTOR);
    expect(again.restored).toEqual(said);
    expect((await openLedger(world.database, DEPLOYMENT, EXECUTOR)).restored).toBeUndefined();
  });
});
