import { spawn } from 'node:child_process';
import { CliError } from '../errors.js';

/** `npm install` in the new folder. A clone is linked, and its own scripts (which would build it anew, under our feet) do not run. */
export async function npmInstall(dir: string, spec: string): Promise<void> {
  const isClone = spec.startsWith('file:') && !spec.endsWith('.tgz');
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...(isClone ? ['--ignore-scripts'] : [])];
  const child = spawn('npm', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  const code = await new Promise<number | null>((done) => {
    child.once('error', () => done(null));
    child.once('close', done);
  });
  if (code === 0) return;
  const why = said.trim().split('\n').at(-1) ?? '';
  throw new CliError(
    'part_missing',
    `the files are written, but npm install failed${why === '' ? '' : `: ${why}`}`,
    `Run it yourself: cd ${dir} && npm install`,
  );
}
