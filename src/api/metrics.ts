/** The longest `?wait` and a stream's life are no slow answers; what a reviewer feels is below 3 s. */
const BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** What the API counts: names and labels from closed sets only (never persons, actions, agents or parameters), so that no sender makes the list grow. */
export const API_COUNTERS = {
  keyturn_api_requests_total: 'Answers by route, method and status.',
  keyturn_api_refusals_total: 'Refused requests by code.',
  keyturn_api_limited_total: 'Refused by a limit: proposals, pending, reads, decisions, stops, strangers, waits, temporal.',
  keyturn_api_proposals_total: 'Proposals: started, known (same key and body again), restarted.',
  keyturn_api_messages_total:
    'Decisions by verdict, cancels, resolves, reviews and answers, by their fate when answered and the code of a refusal.',
} as const;
export const API_HISTOGRAMS = { keyturn_api_request_seconds: 'Time to the answer, by route and method.' } as const;

type Labels = Readonly<Record<string, string>>;
interface Histogram {
  readonly buckets: number[];
  sum: number;
  count: number;
}
/** A gauge, read when somebody scrapes. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly values: readonly { readonly labels?: Labels; readonly value: number }[];
}

/** Counters and one histogram in the text format of Prometheus, by hand: a few names. */
export class Metrics {
  private readonly counts = new Map<string, number>();
  private readonly times = new Map<string, Histogram>();

  count(name: keyof typeof API_COUNTERS, labels: Labels): void {
    const key = `${name}${textOf(labels)}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  /** `seconds` into the histogram. */
  took(name: keyof typeof API_HISTOGRAMS, labels: Labels, seconds: number): void {
    const key = `${name} ${inner(labels)}`;
    const histogram = this.times.get(key) ?? { buckets: BUCKETS_S.map(() => 0), sum: 0, count: 0 };
    BUCKETS_S.forEach((bound, i) => {
      if (seconds <= bound) histogram.buckets[i] = (histogram.buckets[i] ?? 0) + 1;
    });
    histogram.sum += seconds;
    histogram.count++;
    this.times.set(key, histogram);
  }

  /** Prometheus text format 0.0.4. */
  text(gauges: readonly Gauge[]): string {
    const lines: string[] = [];
    for (const [name, help] of Object.entries(API_COUNTERS)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
      for (const [key, value] of this.counts) if (key.startsWith(`${name}{`)) lines.push(`${key} ${value}`);
    }
    for (const [name, help] of Object.entries(API_HISTOGRAMS)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
      for (const [key, histogram] of this.times)
        if (key.startsWith(`${name} `)) lines.push(...linesOf(name, key.slice(name.length + 1), histogram));
    }
    for (const { name, help, values } of gauges) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
      for (const { labels, value } of values) lines.push(`${name}${labels === undefined ? '' : textOf(labels)} ${value}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

function linesOf(name: string, labels: string, { buckets, sum, count }: Histogram): string[] {
  return [
    ...BUCKETS_S.map((bound, i) => `${name}_bucket{${labels},le="${bound}"} ${buckets[i] ?? 0}`),
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${sum}`,
    `${name}_count{${labels}} ${count}`,
  ];
}

const inner = (labels: Labels): string =>
  Object.entries(labels)
    .map(([label, value]) => `${label}="${value.replaceAll(/[^\w./{}:-]/g, '_')}"`)
    .join(',');
const textOf = (labels: Labels): string => `{${inner(labels)}}`;
