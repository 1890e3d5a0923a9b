import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ROUTES } from '../../src/api/routes/all.js';
import { EXIT } from '../../src/cli/exit.js';
import { runCli } from '../../src/cli/program.js';
import type { Terminal } from '../../src/cli/terminal.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { requestSchema } from '../../src/domain/objects/request.js';
import { lintPolicy } from '../../src/domain/policy/lint.js';
import { parsePolicy } from '../../src/domain/policy/parse.js';
import { parseRoster } from '../../src/domain/roster.js';
import { transitions } from '../../src/executor/ledger/transitions.js';
import { signerFrom } from '../../src/files/key-files.js';
import { attributes } from '../../src/temporal/attributes.js';
import { signerOf } from '../helpers/signers.js';
import { anchorsOf, blockAfter, linksOf, PAGES, ROOT, tableRows, text } from './markdown.js';

const README = text('README.md');

describe.each(PAGES)('%s', (path) => {
  const page = text(path);

  test('every relative link leads to a file, and to a heading of it', () => {
    const broken = linksOf(page).flatMap(({ to }) => {
      if (/^[a-z]+:/.test(to)) return [];
      const [file = '', anchor] = to.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(ROOT, target))) return [to];
      return anchor === undefined || anchorsOf(text(target)).includes(anchor) ? [] : [to];
    });
    expect(broken).toEqual([]);
  });

  test('a link to a test names a test that is in that file', () => {
    const missing = linksOf(page).flatMap(({ words, to, title }) => {
      if (!to.endsWith('.test.ts') || (title === undefined && to.includes('test/docs/'))) return [];
      const file = join(dirname(path), to);
      const name = title ?? words;
      const quoted = existsSync(join(ROOT, file)) && ["'", '"', '`'].some((quote) => text(file).includes(quote + name + quote));
      return quoted ? [] : [`${to}: ${name}`];
    });
    expect(missing).toEqual([]);
  });

  test('every package script it names exists', () => {
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(text('package.json')));
    const named = [...page.matchAll(/npm (?:run ([a-z][a-z:-]*)|(test))\b/g)].map(([, run, itself]) => run ?? itself ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('every command of keyturn it names exists', async () => {
    const help = await helpText();
    const known = [...help.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name]) => name);
    const named = [...page.matchAll(/(?:`|\bnpx |^|&& )keyturn ([a-z]+)\b/gm)].map(([, name]) => name);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  test('every variable it names is read by the code', () => {
    const named = [...page.matchAll(/\b(?:KEYTURN|TEMPORAL|BANK)_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
    const code = ['src', 'examples', 'test/screenshots'].flatMap(sources).join('\n');
    expect([...new Set(named)].filter((name) => !code.includes(name))).toEqual([]);
  });
});

describe('README.md', () => {
  const marked = [...README.matchAll(/<!-- file: (\S+) -->/g)].map(([, path = '']) => path);

  test('shows the starter itself', () => {
    expect(marked).toEqual(['examples/starter/agent.ts', 'examples/starter/executor.ts', 'examples/starter/policy.yaml']);
  });
  test.each(marked)('its %s is that file, byte by byte', (path) => {
    expect(blockAfter(README, `file: ${path}`)).toBe(text(path));
  });

  test('its policy is valid, and fits the starter’s roster', () => {
    const roster = parseRoster(starterRoster(), 'roster.yaml');
    const policy = parsePolicy(blockAfter(README, 'file: examples/starter/policy.yaml'), 'policy.yaml');
    expect([roster, policy]).toMatchObject([{ ok: true }, { ok: true }]);
    if (roster.ok && policy.ok) expect(lintPolicy(policy.policy, roster.roster, 'policy.yaml', Date.now())).toEqual([]);
  });

  test('the line for a bearer agent is one the roster takes', () => {
    const line = /`(erp-agent: \{[^`]*\})`/.exec(README)?.[1] ?? '';
    const filled = line.replace(/<SHA-256[^>]*>/, 'ab'.repeat(32));
    expect(filled).not.toBe(line);
    expect(parseRoster(starterRoster().replace('agents:\n', `agents:\n  ${filled}\n`), 'roster.yaml')).toMatchObject({ ok: true });
  });

  test('the JSON a bearer agent sends is a request', () => {
    const body = /--json '(\{\s*"v"[\s\S]*?\})'/.exec(README)?.[1] ?? '';
    expect(requestSchema.safeParse(JSON.parse(body))).toMatchObject({ success: true });
  });

  test('the exit codes', () => {
    const line = /^Exit codes: (.*)$/m.exec(README)?.[1] ?? '';
    const told = Object.fromEntries([...line.matchAll(/(\d) ([^·]+?)(?: ·|$)/g)].map(([, code = '', words = '']) => [words, Number(code)]));
    const { ok, error, usage, none, undone, person, waiting } = EXIT;
    expect(told).toEqual({
      'ok, done': ok,
      error,
      usage,
      'ended, effect none': none,
      undone,
      'needs a person': person,
      'still waiting': waiting,
    });
  });

  test('every search attribute is made, with its type', () => {
    const [, command = ''] = /search-attribute create((?:[^\n]*\\\n)*[^\n#]*)/.exec(README) ?? [];
    // One type a name: of several names after one type the command line makes the first alone, and says nothing.
    expect(command.match(/--name/g)?.length).toBe(command.match(/--type/g)?.length);
    const made = [...command.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name = '', type = '']) => `${name} ${type.toUpperCase()}`);
    const wanted = Object.values(attributes).map(({ name, type }) => `${name} ${type.replaceAll('_', '')}`);
    expect(made.sort()).toEqual(wanted.sort());
  });
});

describe('ARCHITECTURE.md', () => {
  const page = text('ARCHITECTURE.md');

  test('every file and folder it names is there', () => {
    const named = [...page.matchAll(/`((?:src|examples|test|docs|demo|bench)\/[^`]+)`/g)].map(([, path = '']) => path);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('lists every transition of the ledger and no other', () => {
    const [, section = ''] = page.split("## The ledger's transitions");
    const listed = tableRows(section.split('\n## ')[0] ?? '').map(([name = '']) => name.replaceAll('`', ''));
    expect(listed.sort()).toEqual(Object.keys(transitions).sort());
  });
});

describe('docs/http.md', () => {
  const page = text('docs/http.md');

  test('lists every endpoint of the API and no other', () => {
    const listed = tableRows(page).map(([endpoint = '']) => endpoint.replaceAll('`', ''));
    const served = ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(listed).toEqual([...served, 'GET /openapi.json', 'GET /docs']);
  });

  test('its vector is what this code signs', () => {
    const key = /`(keyturn-ed25519-private:[^`]+)`/.exec(page)?.[1] ?? '';
    const request = requestSchema.parse(JSON.parse(blockAfter(page, 'vector: request')));
    expect(signerFrom(key, 'docs/http.md').sign('request', request)).toEqual(JSON.parse(blockAfter(page, 'vector: signed')));
    expect(actionIdOf(request.deployment, request.agent, request.idempotencyKey)).toBe(blockAfter(page, 'vector: id').trim());
  });
});

function starterRoster(): string {
  return text('examples/starter/roster.yaml').replace(/\$([a-z-]+)\$/g, (_all, name: string) => signerOf(name).key.text);
}

const sources = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|cjs)$/.test(name))
    .map((name) => text(join(folder, name)));

async function helpText(): Promise<string> {
  const lines: string[] = [];
  const terminal: Terminal = {
    interactive: false,
    color: false,
    width: 80,
    out: (line) => void lines.push(line),
    raw: () => undefined,
    err: (line) => void lines.push(line),
    ask: async () => '',
  };
  expect(await runCli(['--help'], terminal, {})).toBe(EXIT.ok);
  return lines.join('\n');
}
