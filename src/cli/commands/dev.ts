import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runDev, type PartName, type RunningDev } from '../dev/run-dev.js';
import type { News } from '../dev/keeper.js';
import { usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import type { Session } from '../session.js';
import { paintOf } from '../text/paint.js';
import { visible } from '../../domain/view/visible.js';

const SAME_MS = 500;

/** `dev -- COMMAND`: everything in one terminal, until Ctrl-C. Whatever dies is started again. */
export async function dev(session: Session, command: readonly string[]): Promise<ExitCode> {
  const { root } = await session.workspace();
  const run = command.length > 0 ? command : executorIn(root);
  const now: { running?: RunningDev; askedAt?: number } = {};
  const ended = new Promise<void>((done) => {
    const stop = (): void => {
      // Before everything runs there is nothing worth a polite end; the second time somebody means it.
      if (now.running === undefined) process.exit(130);
      if (now.askedAt !== undefined) {
        // One Ctrl-C may come twice: from the terminal, and passed on by npx.
        if (performance.now() - now.askedAt > SAME_MS) process.exit(130);
        return;
      }
      now.askedAt = performance.now();
      session.hint('stopping …   (Ctrl-C again: at once)');
      void now.running.stop().then(done);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });

  session.hint('starting Temporal, worker, API and executor …');
  now.running = await runDev({
    dir: root,
    command: run,
    log: (part, line) => printed(session, part, line),
    tell: (part, news) => tell(session, part, news),
  });
  welcome(session, now.running, root);
  await ended;
  // What is left open (pipes of programs that outlived their wrapper) must not hold this terminal.
  process.exit(EXIT.ok);
}

function executorIn(root: string): readonly string[] {
  if (existsSync(join(root, 'executor.ts'))) return ['npx', 'tsx', 'executor.ts'];
  if (existsSync(join(root, 'executor.js'))) return [process.execPath, 'executor.js'];
  throw usage('dev needs the command that starts your executor', 'Write: keyturn dev -- npx tsx executor.ts');
}

function welcome(session: Session, running: RunningDev, root: string): void {
  const { url, webUi, temporalAddress, door } = running;
  const all = running.pids();
  const pid = (name: PartName): string => String(all[name] ?? 'yours').padEnd(7);
  const { bold } = paintOf(session.terminal.color);
  session.answer({ ready: true, url, webUi: webUi ?? null, temporal: temporalAddress, door: door ?? null, pids: all }, [
    `  temporal  pid ${pid('temporal')}  ${webUi ?? temporalAddress}${webUi === undefined ? '' : '   Web UI'}`,
    `  worker    pid ${pid('worker')}`,
    `  executor  pid ${pid('executor')}  the only one with your credentials${door === undefined ? '' : `; its own door: ${door}`}`,
    `  api       pid ${pid('api')}  ${url}`,
    '',
    bold('Ready. In a second terminal:'),
    ...(existsSync(join(root, 'agent.ts')) ? [`  ${cd(root)}npx tsx agent.ts`] : []),
    '  npx keyturn inbox',
    '  npx keyturn show <id>',
    '',
    `Nothing is lost when any of them dies: try \`kill -9 ${all.worker ?? ''}\`. Ctrl-C ends all.`,
  ]);
}

function cd(root: string): string {
  const way = relative(process.cwd(), root);
  return way === '' ? '' : `cd ${way} && `;
}

function tell(session: Session, part: PartName, news: News): void {
  if (session.globals.json) return session.terminal.out(JSON.stringify({ part, ...news }));
  const { alarm } = paintOf(session.terminal.color);
  switch (news.kind) {
    case 'died':
      return session.terminal.out(alarm(`${part} ${news.pid} died (${news.why})`));
    case 'restarted':
      return session.terminal.out(
        `${part} ${news.pid} took its place after ${(news.ms / 1_000).toFixed(1)} s: try \`kill -9 ${news.pid}\``,
      );
    case 'failed':
      return session.terminal.out(alarm(`${part}: ${news.why}; again in ${(news.againInMs / 1_000).toFixed(1)} s`));
  }
}

const SGR = /\u001b\[[0-9;]*m/g;

/** What a part prints stands beside its name; with `--json` on the error stream. */
function printed(session: Session, part: string, line: string): void {
  // A part may print what an agent wrote: nothing of it may steer this terminal.
  const said = `${part.padEnd(8)} | ${visible(line.replace(SGR, ''))}`;
  if (session.globals.json) session.terminal.err(said);
  else session.terminal.out(paintOf(session.terminal.color).dim(said));
}
