import type { Command } from 'commander';
import type { ApproveOptions } from '../commands/approve.js';
import type { AskOptions } from '../commands/ask.js';
import type { DelegateOptions } from '../commands/delegate.js';
import type { FreezeOptions } from '../commands/freeze.js';
import type { ModifyOptions } from '../commands/modify.js';
import type { RejectOptions } from '../commands/reject.js';
import type { ResolveOptions } from '../commands/resolve.js';
import type { ReviewOptions } from '../commands/review.js';
import type { WithdrawOptions } from '../commands/withdraw.js';
import type { Run } from '../program.js';

const AS = ['--as <person>', 'somebody else (development rosters only)'] as const;
const DOOR = ['--door', "straight to the executors' own doors, without API and Temporal"] as const;
const FOR = ['--for <person>', 'on the seat of somebody who handed over to you'] as const;
const PRINT = ['--print', 'print the signed message instead of sending it'] as const;
const DIGEST = ['--digest <digits>', 'what was seen elsewhere: the first 12 or more digits'] as const;

/** What people who decide use. */
export function registerReviewers(program: Command, run: Run): void {
  program.commandsGroup('Review:');
  program
    .command('inbox')
    .description('what needs you, nearest deadline first')
    .option(...AS)
    .action((options: { as?: string }) => run(async (session) => (await import('../commands/inbox.js')).inbox(session, options)));
  program
    .command('show <id>')
    .description('what exactly would happen, and how it is undone')
    .option(...AS)
    .action((id: string, options: { as?: string }) =>
      run(async (session) => (await import('../commands/show.js')).show(session, id, options)),
    );
  program
    .command('approve <id>')
    .description('agree to exactly what was shown last in this folder')
    .option(...AS)
    .option(...FOR)
    .option(...DIGEST)
    .option('--reason <text>', 'why')
    .option('--confirm <value>', 'the value the rule wants repeated')
    .option(...PRINT)
    .action((id: string, options: ApproveOptions) =>
      run(async (session) => (await import('../commands/approve.js')).approve(session, id, options)),
    );
  program
    .command('reject <id>')
    .description('say no; the agent is told why')
    .requiredOption('--reason <text>', 'why')
    .option(...AS)
    .option(...DOOR)
    .option(...FOR)
    .option(...PRINT)
    .action((id: string, options: RejectOptions) =>
      run(async (session) => (await import('../commands/reject.js')).reject(session, id, options)),
    );
  program
    .command('modify <id> <changes...>')
    .description('change parameters, as /cents=820000: a new revision, without approvals')
    .requiredOption('--reason <text>', 'why')
    .option(...AS)
    .option(...FOR)
    .option(...DIGEST)
    .option(...PRINT)
    .action((id: string, changes: string[], options: ModifyOptions) =>
      run(async (session) => (await import('../commands/modify.js')).modify(session, id, changes, options)),
    );
  program
    .command('ask <id> <question>')
    .description('ask the agent: no vote, and no clock stops for it')
    .option(...AS)
    .option(...FOR)
    .option(...PRINT)
    .action((id: string, question: string, options: AskOptions) =>
      run(async (session) => (await import('../commands/ask.js')).ask(session, id, question, options)),
    );
  program
    .command('withdraw <id>')
    .description('take your own vote back, until it starts')
    .option(...AS)
    .option('--decision <digits>', 'which vote, where there are several')
    .option('--reason <text>', 'why')
    .option(...DOOR)
    .option(...PRINT)
    .action((id: string, options: WithdrawOptions) =>
      run(async (session) => (await import('../commands/withdraw.js')).withdraw(session, id, options)),
    );
  program
    .command('delegate')
    .description('let somebody decide on your seat for a time, where a rule lets it: a signed file')
    .requiredOption('--to <person>', 'who')
    .requiredOption('--until <date>', 'when it is over: 2026-12-24, at 00:00 UTC')
    .option('--type <types...>', 'only these types, or prefix.* (default: every type)')
    .option('-o, --output <file>', 'where to (default: .keyturn/delegations)')
    .option(...AS)
    .option(...PRINT)
    .action((options: DelegateOptions) => run(async (session) => (await import('../commands/delegate.js')).delegate(session, options)));
  program
    .command('resolve <id>')
    .description('say what became of a step that nobody else can tell about')
    .requiredOption('--step <number>', 'which step, from 1')
    .requiredOption('--verdict <verdict>', 'happened, did_not or undone_by_hand')
    .requiredOption('--reason <text>', 'how you know')
    .option(...AS)
    .option(...PRINT)
    .action((id: string, options: ResolveOptions) =>
      run(async (session) => (await import('../commands/resolve.js')).resolve(session, id, options)),
    );
  program
    .command('review <id>')
    .description('say afterwards whether what ran by a break-glass rule was justified')
    .requiredOption('--verdict <verdict>', 'justified or not_justified')
    .requiredOption('--reason <text>', 'why')
    .option(...AS)
    .option(...PRINT)
    .action((id: string, options: ReviewOptions) =>
      run(async (session) => (await import('../commands/review.js')).review(session, id, options)),
    );
  program
    .command('freeze')
    .description('stop: nothing in the scope starts, and no next step, until it is thawed')
    .option('--all', 'everything')
    .option('--type <type>', 'one action type')
    .option('--agent <agent>', 'one agent')
    .requiredOption('--reason <text>', 'why')
    .option(...AS)
    .option(...PRINT)
    .action((options: FreezeOptions) => run(async (session) => (await import('../commands/freeze.js')).freeze(session, options)));
  program
    .command('thaw <freeze>')
    .description('one voice to lift a freeze, by the digest it was told with')
    .requiredOption('--reason <text>', 'why')
    .option(...AS)
    .option(...PRINT)
    .action((freeze: string, options: { as?: string; reason: string; print?: true }) =>
      run(async (session) => (await import('../commands/freeze.js')).thaw(session, freeze, options)),
    );
}
