import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../src/cli/program.js';
import type { ExitCode } from '../../src/cli/exit.js';
import { toBase64Url, utf8 } from '../../src/domain/bytes.js';
import { sha256Bytes } from '../../src/domain/hash.js';
import { writeKeyFile } from '../../src/files/key-files.js';
import { rosterText, PEOPLE, type RosterOptions } from '../helpers/rules-fixture.js';
import { FakeTerminal } from './fake-terminal.js';

/** The private half of `signerOf(word)`, as a key file holds it. */
export const privateKeyOf = (word: string): string =>
  `keyturn-ed25519-private:${toBase64Url(sha256Bytes(utf8(`keyturn test key ${word}`)))}`;

export interface Told {
  readonly exit: ExitCode;
  readonly terminal: FakeTerminal;
}

/** A reviewer's folder: roster.yaml, everybody's keys, and who sits there. */
export class Folder {
  private constructor(readonly dir: string) {}

  static async make(url: string, roster: RosterOptions = { more: 'development: true' }, me = 'ana'): Promise<Folder> {
    const dir = await mkdtemp(join(tmpdir(), 'keyturn-cli-'));
    const keys = join(dir, '.keyturn', 'keys');
    await mkdir(keys, { recursive: true, mode: 0o700 });
    for (const person of PEOPLE) await writeKeyFile(join(keys, `${person}.key`), privateKeyOf(`person:${person}`));
    await writeKeyFile(join(keys, 'agent-ap-agent.key'), privateKeyOf('agent:ap-agent'));
    await writeFile(join(dir, 'roster.yaml'), rosterText(roster));
    await writeFile(join(dir, '.keyturn', 'config.json'), JSON.stringify({ url, me }));
    return new Folder(dir);
  }
  remove(): Promise<void> {
    return rm(this.dir, { recursive: true, force: true });
  }

  /** `keyturn …` in this folder; nobody at the terminal unless one is given. */
  async run(args: readonly string[], terminal = new FakeTerminal(), env: NodeJS.ProcessEnv = {}): Promise<Told> {
    return { exit: await runCli(['--dir', this.dir, ...args], terminal, env), terminal };
  }
}
