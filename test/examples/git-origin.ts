import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openRepositories, type Repositories } from '../../examples/git/repositories.js';

/** What a commit writes: a text, bytes, `null` to remove, or something else than a plain file. */
export type Written = string | Uint8Array | null | { readonly run: string } | { readonly link: string } | { readonly submodule: string };

/** A real bare repository in a temporary folder, and a clone in which developers and agents work. */
export class Origin {
  readonly url: string;
  readonly repositories: Repositories;
  private constructor(
    readonly dir: string,
    private readonly work: string,
  ) {
    this.url = join(dir, 'infra.git');
    this.repositories = this.mirrors('executor');
  }

  static make(): Origin {
    const dir = mkdtempSync(join(tmpdir(), 'keyturn-git-'));
    const origin = new Origin(dir, join(dir, 'work'));
    mkdirSync(origin.work);
    origin.git('init', '-q', '--bare', '-b', 'main', origin.url);
    origin.git('init', '-q', '-b', 'main');
    origin.git('remote', 'add', 'origin', origin.url);
    origin.commit('main', { 'README.md': 'one\ntwo\nthree\n', 'infra/prod/main.tf': 'size = 1\n', 'infra/staging/main.tf': 'size = 1\n' });
    return origin;
  }
  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** The repository as an executor of its own knows it, with its own copy. */
  mirrors(executor: string): Repositories {
    return openRepositories({ infra: { url: this.url } }, join(this.dir, executor));
  }

  git(...args: string[]): string {
    const who = ['-c', 'user.name=Dev', '-c', 'user.email=dev@example.com', '-c', 'protocol.file.allow=always'];
    return execFileSync('git', [...who, ...args], {
      cwd: this.work,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: this.dir, GIT_CONFIG_NOSYSTEM: '1' },
    }).trim();
  }

  /** Commits to a branch, made from main where it is new, and pushes it. Its id. */
  commit(branch: string, files: Readonly<Record<string, Written>>, message = 'a change'): string {
    const known = this.git('branch', '--list', branch) !== '';
    if (known) this.git('checkout', '-q', '-f', branch);
    else if (branch !== 'main') this.git('checkout', '-q', '-f', '-b', branch, 'main');
    for (const [path, content] of Object.entries(files)) this.write(path, content);
    this.git('commit', '-q', '--allow-empty', '-m', message);
    this.git('push', '-q', 'origin', branch);
    return this.git('rev-parse', 'HEAD');
  }
  private write(path: string, content: Written): void {
    const file = join(this.work, path);
    if (content === null) {
      this.git('rm', '-q', '--', path);
      return;
    }
    if (typeof content === 'object' && 'submodule' in content) {
      this.git('update-index', '--add', '--cacheinfo', `160000,${content.submodule},${path}`);
      return;
    }
    mkdirSync(dirname(file), { recursive: true });
    rmSync(file, { force: true });
    if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(file, content);
    else if ('link' in content) symlinkSync(content.link, file);
    else {
      writeFileSync(file, content.run);
      chmodSync(file, 0o755);
    }
    this.git('add', '--', path);
  }

  /** The clone as the origin is now. */
  pull(branch = 'main'): void {
    this.git('fetch', '-q', 'origin');
    this.git('checkout', '-q', '-f', branch);
    this.git('reset', '-q', '--hard', `origin/${branch}`);
  }
  /** Asked of the origin itself. */
  at(...args: string[]): string {
    return this.git('--git-dir', this.url, ...args);
  }
  head = (branch = 'main'): string => this.at('rev-parse', `refs/heads/${branch}`);
  file = (path: string, branch = 'main'): string => this.at('show', `refs/heads/${branch}:${path}`);
  /** Merge commits of the branch. */
  merges = (branch = 'main'): number => Number(this.at('rev-list', '--count', '--merges', `refs/heads/${branch}`));
}

export const MERGE = { repository: 'infra', source: 'feature', target: 'main' } as const;
