import { describe, expect, test } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { z } from 'zod';
import { API_COUNTERS, API_HISTOGRAMS } from '../../src/api/metrics.js';
import { attributes } from '../../src/temporal/attributes.js';
import { text } from './markdown.js';

const PAGE = text('docs/operating.md');
const words = z.string().min(1);
const rules = z
  .strictObject({
    groups: z.array(
      z.strictObject({
        name: words,
        rules: z.array(
          z.strictObject({
            alert: words.regex(/^Keyturn[A-Za-z]+$/),
            expr: words,
            for: words.regex(/^\d+[smhd]$/).optional(),
            labels: z.strictObject({ severity: z.enum(['page', 'warn']) }),
            annotations: z.strictObject({ summary: words }),
          }),
        ),
      }),
    ),
  })
  .parse(parse(text('docs/alarms.yaml')))
  .groups.flatMap((group) => group.rules);

/** Every name of ours that the code gives a metric, as Prometheus has it. */
const made = [
  ...Object.keys({ ...API_COUNTERS, ...API_HISTOGRAMS }),
  ...[...text('src/api/routes/system.ts').matchAll(/name: '(keyturn_\w+)'/g)].map(([, name = '']) => name),
  ...[...text('src/api/temporal/pending.ts').matchAll(/name: '(keyturn_\w+)'/g)].map(([, name = '']) => name),
  ...['src/executor/metrics.ts', 'src/workflows/meter.ts'].flatMap((file) =>
    [...text(file).matchAll(/create(Counter|Gauge|Histogram)\(\s*'(keyturn_\w+)'/g)].map(
      ([, kind, name = '']) => `${name}${kind === 'Counter' ? '_total' : ''}`,
    ),
  ),
];

describe('docs/operating.md', () => {
  test('lists every metric and no other', () => {
    const listed = [...PAGE.matchAll(/^\| `(keyturn_\w+)`/gm)].map(([, name = '']) => name);
    expect(listed.sort()).toEqual([...made].sort());
  });

  test('its saved queries name only attributes that exist', () => {
    const queries = [...PAGE.matchAll(/\((http:\/\/localhost:8233\/[^)]+)\)/g)].map(([, href = '']) => new URL(href).searchParams);
    expect(queries.length).toBeGreaterThan(5);
    const known = [...Object.values(attributes).map(({ name }) => name), 'WorkflowType', 'ExecutionStatus', 'TemporalReportedProblems'];
    for (const query of queries) {
      expect(query.get('savedQuery')).toMatch(/\w/);
      const named = [...(query.get('query') ?? '').matchAll(/(\w+) (?:=|IN|IS)/g)].map(([, name = '']) => name);
      expect(named.filter((name) => !known.includes(name))).toEqual([]);
    }
  });
});

describe('docs/alarms.yaml', () => {
  test.each(rules)('$alert is PromQL over metrics there are', ({ expr }) => {
    let errors = 0;
    parser.parse(expr).iterate({ enter: (node) => void (errors += node.type.isError ? 1 : 0) });
    expect(errors).toBe(0);
    const names = [...expr.matchAll(/\b(?:keyturn|temporal)_\w+/g)].map(([name]) => name.replace(/_bucket$/, ''));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => name.startsWith('keyturn_') && !made.includes(name))).toEqual([]);
  });
  test('no alarm twice', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    expect(rules.length).toBeGreaterThan(9);
  });
});
