import { spawn } from 'node:child_process';

/** Waits for `dev` ($1) to go; ends the process group $2 then. Goes itself when that group's leader has gone. */
const SCRIPT = 'while kill -0 "$1" 2>/dev/null; do kill -0 "$2" 2>/dev/null || exit 0; sleep 1; done; kill -- "-$2" 2>/dev/null';

/**
 * Our own parts watch `dev` by themselves (`KEYTURN_DEV_PID`); other programs do not. If `dev` is killed with SIGKILL it cannot end them,
 * so a few bytes of shell wait beside each of them.
 */
export function reap(groupLeader: number): void {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'keyturn-dev-reaper', String(process.pid), String(groupLeader)], {
    detached: true,
    stdio: 'ignore',
  });
  // Without a shell nothing is lost but this.
  child.once('error', () => undefined);
  child.unref();
}
