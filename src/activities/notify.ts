import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Notice } from '../workflows/tell-people.js';

/** One line on the worker's output and one in `notices.jsonl`: asked, reminded, escalated, new revision, ended. On the worker's queue. */
export function notifyActivity(file: string, print: (line: string) => void): (notice: Notice) => Promise<void> {
  return async (notice) => {
    await mkdir(dirname(file), { recursive: true });
    await appendFile(file, `${JSON.stringify({ at: new Date().toISOString(), ...notice })}\n`);
    const to = notice.people.length === 0 ? 'nobody' : notice.people.join(', ');
    print(`notice  ${notice.event.padEnd(12)} ${notice.actionId.slice(0, 8)} r${notice.revision} ${notice.status}  to ${to}`);
  };
}
