import type { Command } from 'commander';
import type { ExplainOptions, LintOptions, PolicyOptions } from '../commands/policy.js';
import type { Run } from '../program.js';

const POLICY = ['--file <file>', 'another policy (default: policy.yaml here)'] as const;

/** Rules, keys, books and proofs: what works on files. */
export function registerTools(program: Command, run: Run): void {
  program.commandsGroup('Policy, keys, ledger, evidence:');
  const policy = program.command('policy').description('what policy.yaml says, before it says it to an agent');
  policy
    .command('lint')
    .description('what would refuse the start, and warnings, each with its line and what to write')
    .option(...POLICY)
    .option('--strict', 'exit 1 for a warning too')
    .action((options: LintOptions) => run(async (session) => (await import('../commands/policy.js')).lint(session, options)));
  policy
    .command('test')
    .description('run its own tests')
    .option(...POLICY)
    .action((options: PolicyOptions) => run(async (session) => (await import('../commands/policy.js')).test(session, options)));
  policy
    .command('explain <type> [params...]')
    .description('which rule would decide: /vendor=ACME /cents=480000')
    .option(...POLICY)
    .option('--agent <agent>', 'who asks (default: the first that may)')
    .option('--on-behalf-of <person>', 'for whom')
    .option('--touches <what...>', 'what its preview would touch, for conditions that read it')
    .action((type: string, params: string[], options: ExplainOptions) =>
      run(async (session) => (await import('../commands/policy.js')).explain(session, type, params, options)),
    );

  const keys = program.command('keys').description('private keys and their public halves');
  keys
    .command('new <file>')
    .description('make a private key; prints its public half for roster.yaml')
    .action((file: string) => run(async (session) => (await import('../commands/keys.js')).newKey(session, file)));
  keys
    .command('show <file>')
    .description('the public half of a private key')
    .action((file: string) => run(async (session) => (await import('../commands/keys.js')).showKey(session, file)));
  keys
    .command('id <file-or-key>')
    .description('the id by which signatures name a key')
    .action((given: string) => run(async (session) => (await import('../commands/keys.js')).keyId(session, given)));

  const ledger = program.command('ledger').description("the executor's book");
  ledger
    .command('init [where]')
    .description('make an empty one: a path or postgres:// (default: KEYTURN_LEDGER, else .keyturn/ledger.db)')
    .option('--deployment <name>', "whose it is (default: roster.yaml's)")
    .action((where: string | undefined, options: { deployment?: string }) =>
      run(async (session) => (await import('../commands/ledger.js')).init(session, where, options)),
    );
  ledger
    .command('verify <where>')
    .description('check every link and signature; the executor must be stopped')
    .option('--roster <file>', 'whose keys to trust (default: roster.yaml here)')
    .action((where: string, options: { roster?: string }) =>
      run(async (session) => (await import('../commands/ledger.js')).verify(session, where, options)),
    );

  ledger
    .command('backup <file> [where]')
    .description('all of it in one signed file; an executor on SQLite must be stopped')
    .action((file: string, where: string | undefined) =>
      run(async (session) => (await import('../commands/backup.js')).backup(session, file, where)),
    );
  ledger
    .command('restore <file> [where]')
    .description('a new one from a backup: frozen, and nothing sealed before runs')
    .action((file: string, where: string | undefined) =>
      run(async (session) => (await import('../commands/backup.js')).restore(session, file, where)),
    );

  const evidence = program.command('evidence').description('the one file that proves an action');
  evidence
    .command('export <id>')
    .description('fetch it')
    .option('-o, --output <file>', 'where to (default: standard output)')
    .option('--as <person>', 'somebody else (development rosters only)')
    .action((id: string, options: { output?: string; as?: string }) =>
      run(async (session) => (await import('../commands/evidence.js')).exportEvidence(session, id, options)),
    );
  evidence
    .command('verify <file>')
    .description('check it, offline')
    .option('--roster <file>', 'whose keys to trust (default: beside the file, else here)')
    .action((file: string, options: { roster?: string }) =>
      run(async (session) => (await import('../commands/evidence.js')).verify(session, file, options)),
    );
}
