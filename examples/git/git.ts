import { spawn } from 'node:child_process';

/** What is needed, and why: `git merge-tree --write-tree` came with it. */
export const GIT_NEEDED = [2, 38] as const;

/** git ended with an exit code nobody expected, or had to be stopped. */
export class GitFailed extends Error {
  override readonly name = 'GitFailed';
  constructor(
    command: string,
    readonly stderr: string,
  ) {
    super(`git ${command}: ${stderr.trim().slice(0, 1_000) || 'no words'}`);
  }
}

export interface GitOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Exit codes that are an answer; 0 where left out. */
  readonly exits?: readonly number[];
  /** More output than this is a failure; with `head`, it is what is wanted. */
  readonly maxBytes?: number;
  readonly head?: boolean;
  readonly timeoutMs?: number;
}
export interface GitAnswer {
  readonly exit: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Nothing of this machine's, of the user's or of pushed content configures git: no hooks, no helpers, no attributes file, no transport but these three.
 * Drivers for diff, textconv, merge and filters need configuration, so a pushed .gitattributes can name them, but never run one.
 */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.symlinks=false',
  'core.askPass=',
  'credential.helper=',
  'protocol.allow=never',
  'protocol.ext.allow=never',
  'protocol.file.allow=always',
  'protocol.ssh.allow=always',
  'protocol.https.allow=always',
  'http.followRedirects=false',
  'transfer.fsckObjects=true',
  'fetch.recurseSubmodules=false',
  'push.recurseSubmodules=no',
  'push.followTags=false',
  'push.gpgSign=false',
  'submodule.recurse=false',
  'merge.directoryRenames=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'log.showSignature=false',
  'i18n.logOutputEncoding=UTF-8',
].flatMap((setting) => ['-c', setting]);

/** Of this process's own environment only what finds programs: no GIT_* of whoever started it. */
const environment = (gitDir: string): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  TZ: 'UTC',
  GIT_DIR: gitDir,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  SSH_ASKPASS: '/bin/false',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_PROTOCOL_FROM_USER: '0',
  GIT_OPTIONAL_LOCKS: '0',
});

/** Runs git in the repository `gitDir`, without a shell. Throws `GitFailed`. */
export function git(gitDir: string, args: readonly string[], options: GitOptions = {}): Promise<GitAnswer> {
  const { env = {}, input = '', exits = [0], maxBytes = 64 * 1_048_576, head = false, timeoutMs = 60_000 } = options;
  const command = args[0] ?? '';
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['--no-pager', ...SETTINGS, ...args], {
      cwd: '/',
      env: { ...environment(gitDir), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // Not the option of spawn: its timer outlives a program that was never found.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const out: Buffer[] = [];
    let [size, stderr, stopped] = [0, '', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out.push(chunk);
      size += chunk.length;
      if (size <= maxBytes || stopped !== '') return;
      stopped = head ? 'head' : `more than ${maxBytes} bytes of output`;
      child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < 20_000) stderr += chunk.toString('utf8');
    });
    // git may end before it has read all of it: its exit code says what that means.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new GitFailed(command, error.message));
    });
    child.on('close', (exit, signal) => {
      clearTimeout(timer);
      if (stopped === 'head') return resolve({ exit: 0, stdout: Buffer.concat(out).subarray(0, maxBytes), stderr });
      if (stopped !== '') return reject(new GitFailed(command, stopped));
      if (exit === null)
        return reject(new GitFailed(command, `stopped by ${signal ?? 'nobody'}, perhaps after ${timeoutMs} ms. ${stderr}`));
      if (!exits.includes(exit)) return reject(new GitFailed(command, stderr));
      resolve({ exit, stdout: Buffer.concat(out), stderr });
    });
    child.stdin.end(input);
  });
}

/** Throws, in plain words, where git is missing or too old for what is done here. */
export async function requireGit(): Promise<void> {
  const [major, minor] = GIT_NEEDED;
  const needed = `git ${major}.${minor} or newer is needed (git merge-tree --write-tree)`;
  let said: string;
  try {
    said = (await git('/nonexistent', ['version'])).stdout.toString('utf8').trim();
  } catch (error) {
    throw new Error(`${needed}, and none was found: ${error instanceof Error ? error.message : String(error)}`);
  }
  const found = /^git version (\d+)\.(\d+)/.exec(said);
  const [x, y] = [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)];
  if (x < major || (x === major && y < minor)) throw new Error(`${needed}; here is ${said}. Install a newer one.`);
}
