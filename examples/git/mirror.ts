import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { git, GitFailed, type GitAnswer, type GitOptions } from './git.js';
import { oidSchema } from './names.js';
import type { RepositorySettings } from './repositories.js';

const NETWORK_MS = 180_000;

/** Moving `to` onto a ref that must now be at `from`; null: it must not exist. */
export interface Move {
  readonly ref: string;
  readonly from: string | null;
  readonly to: string;
}
/** `rejected`: surely none of it happened. */
export type Pushed = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** A bare copy of one repository, with its address. What was fetched is kept under `refs/seen/<commit>`. */
export class Mirror {
  private opened: Promise<void> | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: RepositorySettings,
    private readonly dir: string,
  ) {}

  /** git on what is here. */
  async git(args: readonly string[], options: GitOptions = {}): Promise<GitAnswer> {
    await this.open();
    return git(this.dir, args, options);
  }
  /** Its output as one line. */
  async line(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return (await this.git(args, options)).stdout.toString('utf8').trim();
  }

  /** Where refs stand at the repository, read in one go; those that do not exist are left out. */
  async heads(refs: readonly string[], key: 'read' | 'write' = 'read'): Promise<ReadonlyMap<string, string>> {
    const { stdout } = await this.remote(['ls-remote', '--quiet', '--', this.settings.url, ...refs], key);
    const found = stdout
      .toString('utf8')
      .split('\n')
      .map((line) => line.split('\t'));
    // Its patterns match the end of a name: only whole names count.
    return new Map(found.flatMap(([oid, ref]) => (ref !== undefined && refs.includes(ref) ? [[ref, oidSchema.parse(oid)] as const] : [])));
  }

  /** Brings commits here, one fetch at a time. */
  async fetch(oids: readonly string[], key: 'read' | 'write' = 'read'): Promise<void> {
    const turn = this.last.then(() => this.fetchNow(oids, key));
    this.last = turn.catch(() => undefined);
    return turn;
  }
  private async fetchNow(oids: readonly string[], key: 'read' | 'write'): Promise<void> {
    const missing: string[] = [];
    for (const oid of new Set(oids)) if (!(await this.has(oid))) missing.push(`${oid}:refs/seen/${oid}`);
    if (missing.length === 0) return;
    const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-auto-maintenance'];
    await this.remote(['fetch', ...options, '--', this.settings.url, ...missing], key);
  }
  /** A ref is written only once everything it needs is here. */
  private async has(oid: string): Promise<boolean> {
    return (await this.git(['show-ref', '--verify', '--quiet', `refs/seen/${oid}`], { exits: [0, 1] })).exit === 0;
  }

  async isAncestor(older: string, newer: string): Promise<boolean> {
    return (await this.git(['merge-base', '--is-ancestor', older, newer], { exits: [0, 1] })).exit === 0;
  }

  /** All moves or none, each only from where it must be. Throws where it is not known whether they happened. */
  async push(moves: readonly Move[]): Promise<Pushed> {
    const leases = moves.map(({ ref, from }) => `--force-with-lease=${ref}:${from ?? ''}`);
    const options = ['--porcelain', '--atomic', '--no-verify', '--no-signed', '--no-follow-tags', '--recurse-submodules=no', ...leases];
    const refs = moves.map(({ ref, to }) => `${to}:${ref}`);
    const { exit, stdout, stderr } = await this.remote(['push', ...options, '--', this.settings.url, ...refs], 'write', [0, 1, 128]);
    if (exit === 0) return { ok: true };
    if (stderr.includes('does not support --atomic push')) return { ok: false, why: 'the repository does not support atomic pushes' };
    const rejected = stdout
      .toString('utf8')
      .split('\n')
      .map((line) => line.split('\t'))
      .filter(([flag, , why = '']) => flag === '!' && /^\[(?:remote )?rejected\]/.test(why));
    // Only where it says so of every ref is it sure that nothing moved; a "[remote failure]" says nothing.
    if (rejected.length !== moves.length) throw new GitFailed('push', stderr);
    return { ok: false, why: rejected.map(([, , why]) => why).join('; ') };
  }

  private async remote(args: readonly string[], key: 'read' | 'write', exits: readonly number[] = [0]): Promise<GitAnswer> {
    await this.open();
    const file = key === 'read' ? this.settings.readKey : this.settings.writeKey;
    const ssh = `ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes${file === undefined ? '' : ` -i ${file}`}`;
    return git(this.dir, args, { env: { GIT_SSH_COMMAND: ssh }, exits, timeoutMs: NETWORK_MS });
  }

  private open(): Promise<void> {
    this.opened ??= this.init().catch((error: unknown) => {
      this.opened = undefined;
      throw error;
    });
    return this.opened;
  }
  private async init(): Promise<void> {
    if (existsSync(`${this.dir}/HEAD`)) return;
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    await git(this.dir, ['init', '--quiet', '--bare', '--template=', '--', this.dir]);
  }
}
