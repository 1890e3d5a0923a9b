import type { Command } from 'commander';
import type { InitOptions } from '../commands/init.js';
import type { ApiPartOptions } from '../commands/run-part.js';
import type { Run } from '../program.js';

/** What sets up and runs the parts. */
export function registerParts(program: Command, run: Run): void {
  program.commandsGroup('Set up and run:');
  program
    .command('init <folder>')
    .description('a folder to start from: executor.ts agent.ts policy.yaml roster.yaml')
    .option('--no-install', 'do not run npm install')
    .action((folder: string, options: InitOptions) =>
      run(async (session) => (await import('../commands/init.js')).init(session, folder, options)),
    );
  program
    .command('dev [command...]')
    .description('Temporal, worker, API and your executor in one terminal: dev -- npx tsx executor.ts')
    .action((command: string[]) => run(async (session) => (await import('../commands/dev.js')).dev(session, command)));
  program
    .command('api')
    .description('the API alone')
    .option('--port <number>', '(default: that of .keyturn/config.json)')
    .option('--host <address>', 'the IP address to listen on; it speaks no TLS (default: 127.0.0.1)')
    .option('--policy <file>', 'its own copy of policy.yaml, for dry runs; it decides nothing')
    .action((options: ApiPartOptions) => run(async (session) => (await import('../commands/run-part.js')).api(session, options)));
  program
    .command('worker')
    .description('the workflow worker alone; it holds no credentials')
    .option('--cached <number>', 'actions kept in memory between their tasks (default: by the size of the heap)')
    .action((options: { cached?: string }) => run(async (session) => (await import('../commands/run-part.js')).worker(session, options)));
  program
    .command('executor <file>')
    .description('your executor: the only process with the credentials')
    .action((file: string) => run(async (session) => (await import('../commands/run-part.js')).executor(session, file)));
  program
    .command('doctor')
    .description('look at everything that usually goes wrong')
    .action(() => run(async (session) => (await import('../commands/doctor.js')).doctor(session)));
  program
    .command('demo [args...]')
    .description('the whole story in a minute')
    .allowUnknownOption()
    .action((args: string[]) => run(async (session) => (await import('../commands/demo.js')).demo(session, args)));
}
