import { readFileSync } from 'node:fs';
import { Command, CommanderError, type Argument } from 'commander';
import { asCliError, usage } from './errors.js';
import { EXIT, type ExitCode } from './exit.js';
import { registerAgents } from './register/agents.js';
import { registerParts } from './register/parts.js';
import { registerReviewers } from './register/reviewers.js';
import { registerTools } from './register/tools.js';
import { Session, type Globals } from './session.js';
import { reportError } from './report-error.js';
import type { Terminal } from './terminal.js';

/** Runs one command's work and keeps its exit code. What the work needs it imports itself: `--help` loads none of it. */
export type Run = (work: (session: Session) => Promise<ExitCode>) => Promise<void>;

/** The whole command line on one terminal. Never throws: every error is told there, once, and becomes the exit code. */
export async function runCli(args: readonly string[], terminal: Terminal, env: NodeJS.ProcessEnv = process.env): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok;
  const program = new Command('keyturn');
  const run: Run = async (work) => {
    const { dir, url, json } = program.opts<{ dir?: string; url?: string; json?: true }>();
    const globals: Globals = { dir: dir ?? '.', url, json: json === true };
    exit = await work(new Session(terminal, globals, env));
  };
  // Commander's own words on an error: help, where no command was given; else told again by `reportError`, in one form with every other error.
  let said = '';
  build(program, run, terminal, (text) => (said = text));
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return exitOfCommander(error, said, args, terminal);
    const told = asCliError(error);
    reportError(terminal, told, args.includes('--json'));
    return told.exit;
  }
}

function build(program: Command, run: Run, terminal: Terminal, onError: (text: string) => void): void {
  program
    .description('An AI agent proposes an action. People agree to exactly that action. Then it runs, once.')
    .version(version(), '-V, --version', 'print the version')
    .option('--dir <folder>', 'the folder to work in (default: this one)')
    .option('--url <address>', 'the API (default: KEYTURN_URL, else .keyturn/config.json)')
    .option('--json', 'answer with one line of JSON')
    .helpOption('-h, --help', 'help for a command')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.registeredArguments.map(termOf).join(' ')}`.trimEnd() })
    .addHelpText('after', EXITS)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: onError,
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
      getOutHasColors: () => terminal.color,
    });
  registerReviewers(program, run);
  registerAgents(program, run);
  registerTools(program, run);
  registerParts(program, run);
}

const termOf = (argument: Argument): string => {
  const words = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${words}>` : `[${words}]`;
};

const EXITS = `
Exit codes: 0 ok, done  1 error  2 usage  3 ended, effect none  4 undone
            5 needs a person  6 still waiting`;

/** Help and version are no errors; everything else commander refuses is a wrong use. */
function exitOfCommander({ code, exitCode, message }: CommanderError, said: string, args: readonly string[], terminal: Terminal): ExitCode {
  if (exitCode === 0) return EXIT.ok;
  const isHelp = code === 'commander.help';
  if (isHelp && !args.includes('--json')) terminal.err(said.trimEnd());
  const text = isHelp ? 'no command was given' : message.replace(/^error: /, '').replaceAll('\n', ' ');
  const told = usage(text, 'See: keyturn --help');
  reportError(terminal, told, args.includes('--json'));
  return told.exit;
}

function version(): string {
  const depth = import.meta.filename.endsWith('.js') ? '../../../package.json' : '../../package.json';
  const manifest: unknown = JSON.parse(readFileSync(new URL(depth, import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}
