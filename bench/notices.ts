import { closeSync, openSync, readSync, statSync } from 'node:fs';

const LOOK_MS = 20;
const CHUNK = 65_536;

/** The worker's notices as people get them: whoever votes here looks at an action when told of it, not before. */
export class Notices {
  private readonly told = new Set<string>();
  private readonly waiting = new Map<string, () => void>();
  private readonly timer = setInterval(() => this.read(), LOOK_MS);
  private readonly chunk = Buffer.alloc(CHUNK);
  private at = 0;
  private rest = '';

  constructor(private readonly file: string) {}

  /** Resolves when people were asked to look at this action. */
  asked(actionId: string): Promise<void> {
    return new Promise((done) => {
      if (this.told.has(actionId)) done();
      else this.waiting.set(actionId, done);
    });
  }

  close(): void {
    clearInterval(this.timer);
  }

  private read(): void {
    if ((statSync(this.file, { throwIfNoEntry: false })?.size ?? 0) === this.at) return;
    const file = openSync(this.file, 'r');
    const size = readSync(file, this.chunk, 0, CHUNK, this.at);
    closeSync(file);
    this.at += size;
    const lines = (this.rest + this.chunk.toString('utf8', 0, size)).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const notice = JSON.parse(line) as { event: string; actionId: string };
      if (notice.event !== 'asked') continue;
      this.told.add(notice.actionId);
      this.waiting.get(notice.actionId)?.();
      this.waiting.delete(notice.actionId);
    }
  }
}
