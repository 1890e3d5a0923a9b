import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Pinned: what it generates, and what it finds, changes from release to release. */
const VERSION = '4.32.5';

/** The program, from `KEYTURN_SCHEMATHESIS`, else from the project's cache, where it is installed once from PyPI. */
export async function schemathesis(): Promise<string> {
  const given = process.env['KEYTURN_SCHEMATHESIS'];
  if (given !== undefined) return given;
  const folder = join(process.env['KEYTURN_CACHE'] ?? join(homedir(), '.cache', 'keyturn'), `schemathesis-${VERSION}`);
  const program = join(folder, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  console.log(`schemathesis ${VERSION}: installing it from PyPI, once`);
  await run('python3', ['-m', 'venv', '--clear', folder]);
  await run(join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`]);
  return program;
}

/** Runs to the end with its output passed on. Throws unless it exits with 0. */
export function run(program: string, args: readonly string[], cwd?: string): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], ...(cwd === undefined ? {} : { cwd }) });
    const stop = (): void => void child.kill('SIGTERM');
    process.once('SIGINT', stop).once('SIGTERM', stop);
    child.once('error', failed);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      if (code === 0) done();
      else failed(new Error(`${program} ended with ${code ?? signal ?? 'nothing'}`));
    });
  });
}
