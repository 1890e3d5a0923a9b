/** Counters for Prometheus, by hand: a few names, labels from closed sets only, so that no sender can make the list grow. */
export class Metrics {
  private readonly counts = new Map<string, number>();

  count(name: keyof typeof HELP, labels: Readonly<Record<string, string>>): void {
    const text = Object.entries(labels)
      .map(([label, value]) => `${label}="${value.replaceAll(/[^\w./{}:-]/g, '_')}"`)
      .join(',');
    const key = `${name}{${text}}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  /** Prometheus text format 0.0.4. `gauges` are read now. */
  text(gauges: Readonly<Record<string, number>>): string {
    const lines: string[] = [];
    for (const [name, help] of Object.entries(HELP)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
      for (const [key, value] of this.counts) if (key.startsWith(`${name}{`)) lines.push(`${key} ${value}`);
    }
    for (const [name, value] of Object.entries(gauges)) lines.push(`# TYPE ${name} gauge`, `${name} ${value}`);
    return `${lines.join('\n')}\n`;
  }
}

const HELP = {
  keyturn_api_requests_total: 'Answers by route, method and status.',
  keyturn_api_refusals_total: 'Refused messages by code.',
  keyturn_api_proposals_total: 'Proposals: started, known (same key and body again), restarted.',
  keyturn_api_messages_total: 'Decisions, cancels and resolves by their fate when answered.',
} as const;
