import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../temporal/paths.js';
import { CliError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import type { Session } from '../session.js';

/** `demo`: the built demo in a process of its own, with this terminal. */
export async function demo(session: Session, args: readonly string[]): Promise<ExitCode> {
  const script = join(packageRoot, 'dist', 'demo', 'run.js');
  if (!existsSync(script))
    throw new CliError('part_missing', 'the demo is not in this installation', 'Clone the repository, then: npm ci && npm run demo');
  const json = session.globals.json ? ['--json'] : [];
  const child = spawn(process.execPath, [script, ...args, ...json], { stdio: 'inherit', cwd: session.globals.dir });
  // Ctrl-C reaches the demo itself, which cleans up; this process only waits for it.
  const wait = (): void => undefined;
  process.on('SIGINT', wait);
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed);
    child.once('exit', done);
  });
  process.off('SIGINT', wait);
  return code === 0 ? EXIT.ok : EXIT.error;
}
