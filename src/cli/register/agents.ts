import type { Command } from 'commander';
import type { AnswerOptions } from '../commands/answer.js';
import type { CancelOptions } from '../commands/cancel.js';
import type { ReadOptions } from '../commands/outcome.js';
import type { ProposeOptions } from '../commands/propose.js';
import type { Run } from '../program.js';

const AS = ['--as <person>', 'somebody else (development rosters only)'] as const;
const AS_AGENT = ['--as-agent <agent>', 'an agent, with its key in .keyturn/keys or KEYTURN_AGENT_KEY'] as const;
const DOOR = ['--door', "straight to the executors' own doors, without API and Temporal"] as const;
const PRINT = ['--print', 'print the signed message instead of sending it'] as const;

/** What agents and their developers use; programs rather use `keyturn/client`. */
export function registerAgents(program: Command, run: Run): void {
  program.commandsGroup('Propose:');
  program
    .command('propose <type> [params...]')
    .description('propose an action: /vendor=ACME /cents=480000')
    .requiredOption('--reason <text>', "the agent's own words to the reviewers")
    .requiredOption('--key, --idempotency-key <text>', 'the same key is the same action, for ever')
    .option('--on-behalf-of <person>', 'for whom: that person never counts')
    .option(...AS_AGENT)
    .option(...PRINT)
    .action((type: string, params: string[], options: ProposeOptions) =>
      run(async (session) => (await import('../commands/propose.js')).propose(session, type, params, options)),
    );
  program
    .command('get <id>')
    .description('where an action stands; exits by its outcome')
    .option(...AS)
    .option(...AS_AGENT)
    .action((id: string, options: ReadOptions) =>
      run(async (session) => (await import('../commands/outcome.js')).get(session, id, options)),
    );
  program
    .command('wait <id>')
    .description('wait for the end, or for a question; exits by the outcome')
    .option('--timeout <duration>', 'give up after 30s, 10m, 8h (default: never)')
    .option(...AS)
    .option(...AS_AGENT)
    .action((id: string, options: ReadOptions & { timeout?: string }) =>
      run(async (session) => (await import('../commands/outcome.js')).wait(session, id, options)),
    );
  program
    .command('answer <id> <text>')
    .description("answer a reviewer's question")
    .option('--question <digits>', 'which question, where several are open')
    .option(...AS_AGENT)
    .option(...PRINT)
    .action((id: string, text: string, options: AnswerOptions) =>
      run(async (session) => (await import('../commands/answer.js')).answer(session, id, text, options)),
    );
  program
    .command('cancel <id>')
    .description('nothing starts any more; what was done is undone')
    .option('--as <person>', "the agent's owner (development rosters only)")
    .option(...AS_AGENT)
    .option(...DOOR)
    .option(...PRINT)
    .action((id: string, options: CancelOptions) =>
      run(async (session) => (await import('../commands/cancel.js')).cancel(session, id, options)),
    );
}
