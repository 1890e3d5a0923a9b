import { Context } from '@temporalio/activity';

const BEAT_MS = 1_000;

/** Beats while `work` runs, so that a killed executor is missed within seconds and not at the activity's timeout. */
export async function beating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
