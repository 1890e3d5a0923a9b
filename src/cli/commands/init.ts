import { basename, resolve } from 'node:path';
import { usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { npmInstall } from '../init/install.js';
import { writeStarter } from '../init/starter.js';
import type { Session } from '../session.js';

export interface InitOptions {
  readonly install: boolean;
}

/** `init FOLDER`: everything for a first gated action, with development keys of everybody. Overwrites nothing. */
export async function init(session: Session, folder: string, options: InitOptions): Promise<ExitCode> {
  const dir = resolve(session.globals.dir, folder);
  if (basename(dir) === '') throw usage('that is no folder to start in', 'Name a new one: keyturn init my-gate');
  const { files, deployment, spec } = await writeStarter(dir);
  const installed = options.install;
  if (installed) {
    session.hint(`npm install in ${folder} …`);
    await npmInstall(dir, spec);
  }
  session.answer({ dir, deployment, files, keyturn: spec, installed }, [
    `${folder}: ${files.filter((file) => !file.startsWith('.') && file !== 'package.json').join('  ')}`,
    '  keys of ana, ben, cleo (finance), dana (owns the agent), agent, API and executor:',
    '  in .keyturn/keys, for development only: each person keeps an own key in earnest',
    '',
    'next:',
    `  cd ${folder}`,
    ...(installed ? [] : ['  npm install']),
    '  npx keyturn dev -- npx tsx executor.ts',
    '  npx tsx agent.ts                          # in a second terminal',
  ]);
  return EXIT.ok;
}
