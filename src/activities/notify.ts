import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Notice } from '../workflows/tell-people.js';

/** One line on the worker's output and one in `notices.jsonl`: asked, reminded, escalated, new revision, ended. On the worker's queue. */
export function notifyActivity(file: string, print: (line: string) => void): (notice: Notice) => Promise<void> {
  return async (notice) => {
    await append(file, `${JSON.stringify({ at: new Date().toISOString(), ...notice })}\n`);
    const to = notice.people.length === 0 ? 'nobody' : notice.people.join(', ');
    print(`notice  ${notice.event.padEnd(12)} ${notice.actionId.slice(0, 8)} r${notice.revision} ${notice.status}  to ${to}`);
  };
}

/** The folder is there but for the first time, or when somebody has removed it. */
async function append(file: string, line: string): Promise<void> {
  try {
    await appendFile(file, line);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ENOENT') throw error;
    await mkdir(dirname(file), { recursive: true });
    await appendFile(file, line);
  }
}
