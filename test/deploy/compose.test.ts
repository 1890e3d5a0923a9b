import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv, type AnySchemaObject } from 'ajv';
import { parse } from 'yaml';
import { z } from 'zod';
import { attributes } from '../../src/temporal/attributes.js';
import { newPrivateKey } from '../../src/files/key-files.js';
import { composeFile, DEPLOY, service, type Service } from '../cluster/compose.js';
import { ROOT } from '../docs/markdown.js';
import { deployText, reads } from './files.js';

const run = promisify(execFile);
/** The specification's own schema, as this linter of compose files ships it. */
const SCHEMA = join(ROOT, 'node_modules/dclint/schemas/compose.schema.json');
const PARTS = ['api', 'worker', 'executor'] as const;
const compose = z
  .looseObject({
    services: z.record(z.string(), z.looseObject({ networks: z.array(z.string()), secrets: z.array(z.string()).optional() })),
    networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })),
    secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
  })
  .parse(composeFile());
const namesWith = (holds: (each: Service) => boolean): string[] =>
  Object.keys(compose.services)
    .filter((name) => holds(service(name)))
    .sort();

describe('compose.yaml', () => {
  test('follows the Compose specification', () => {
    const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as AnySchemaObject;
    const validate = new Ajv({ strict: false, allErrors: true, validateSchema: false, formats: { duration: true } }).compile(schema);
    void validate(composeFile());
    expect(validate.errors ?? []).toEqual([]);
    void validate({ services: { api: { imagee: 'x' } } });
    expect(validate.errors).not.toBeNull();
  });

  test('the ledger is reached by the executor alone, and the target too', () => {
    expect(namesWith(({ networks }) => networks.includes('ledger'))).toEqual(['executor', 'ledger-db', 'ledger-init']);
    expect(namesWith(({ networks }) => networks.includes('target'))).toEqual(['executor']);
    expect(namesWith(({ networks }) => networks.includes('temporal-db'))).toEqual(['temporal', 'temporal-db', 'temporal-schema']);
    for (const name of ['ledger', 'temporal', 'temporal-db']) expect(compose.networks[name]).toEqual({ internal: true });
  });

  test('a secret is a file, given to those who need it and nobody else', () => {
    expect(namesWith(({ secrets }) => secrets.includes('executor_key'))).toEqual(['executor']);
    expect(namesWith(({ secrets }) => secrets.includes('ledger_address'))).toEqual(['executor', 'ledger-init']);
    expect(namesWith(({ secrets }) => secrets.includes('api_key'))).toEqual(['api']);
    expect(service('worker').secrets).toEqual([]);
    for (const [name, { file }] of Object.entries(compose.secrets)) expect(file).toBe(`./secrets/${name}`);
    for (const name of Object.keys(compose.services)) {
      const text = JSON.stringify(compose.services[name]) + (name === 'temporal-schema' ? deployText('compose/schema.sh') : '');
      for (const secret of service(name).secrets) expect(text).toContain(`/run/secrets/${secret}`);
    }
  });

  test('policy and executor are where the executor is, and nowhere else', () => {
    expect(namesWith(({ volumes }) => volumes.some((each) => each.includes('policy.yaml')))).toEqual(['executor']);
  });

  test.each([...PARTS, 'ledger-init'])('%s: no privilege, nothing to write on, and only variables it reads', (name) => {
    expect(compose.services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(String(compose.services[name]?.['user'])).not.toMatch(/^(?:root|0)\b/);
    const part = name === 'ledger-init' ? 'executor' : name;
    const unread = Object.keys(service(name).environment).filter((variable) => !reads(part, variable));
    expect(unread).toEqual([]);
  });

  test('only this machine reaches a port', () => {
    const ports = Object.values(compose.services).flatMap((each) => z.array(z.string()).default([]).parse(each['ports']));
    expect(ports.sort()).toEqual(['127.0.0.1:7878:7878', '127.0.0.1:7879:7879', '127.0.0.1:8080:8080', '127.0.0.1:9090:9090']);
  });

  test('the executor’s door is open where people reach it, and needs no Temporal to be', () => {
    const executor = compose.services['executor'];
    expect(service('executor').environment['KEYTURN_DOOR']).toBe('0.0.0.0:7879');
    expect(executor?.['ports']).toEqual(['127.0.0.1:7879:7879']);
    expect(JSON.stringify(executor?.['healthcheck'])).toContain('http://127.0.0.1:7879/healthz');
    expect(executor?.['depends_on']).toEqual({ 'ledger-db': { condition: 'service_healthy' } });
    expect(namesWith(({ environment }) => 'KEYTURN_DOOR' in environment)).toEqual(['executor']);
  });

  test('metrics are reached by Prometheus on a network of their own, and published to nobody', () => {
    for (const name of ['worker', 'executor']) {
      expect(service(name).environment['KEYTURN_METRICS']).toBe('0.0.0.0:9464');
      expect(compose.services[name]?.['expose']).toEqual(['9464']);
    }
    expect(namesWith(({ networks }) => networks.includes('metrics'))).toEqual([...PARTS, 'prometheus'].sort());
    expect(compose.networks['metrics']).toEqual({ internal: true });
    expect(service('prometheus').networks).toEqual(['metrics', 'edge']);
    const { scrape_configs: jobs, rule_files: files } = z
      .looseObject({
        rule_files: z.array(z.string()),
        scrape_configs: z.array(
          z.looseObject({ metrics_path: z.literal('/metrics'), static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
        ),
      })
      .parse(parse(deployText('compose/prometheus.yaml')));
    const targets = jobs.flatMap((job) => job.static_configs.flatMap((each) => each.targets));
    expect(targets.sort()).toEqual(['api:7878', 'executor:9464', 'worker:9464']);
    expect(service('prometheus').volumes).toEqual(
      expect.arrayContaining([
        './prometheus.yaml:/etc/prometheus/prometheus.yml:ro',
        ...files.map((inside) => `../../docs/${basename(inside)}:${inside}:ro`),
      ]),
    );
    expect(files.map((inside) => existsSync(join(ROOT, 'docs', basename(inside))))).toEqual([true]);
  });

  test('every image is of one version: no :latest', () => {
    const images = Object.keys(compose.services).flatMap((name) => service(name).image ?? []);
    expect(images.length).toBeGreaterThan(5);
    expect(images.filter((image) => !/:v?\d+\.\d+/.test(image))).toEqual([]);
    expect(new Set(images.filter((image) => /server|admin-tools/.test(image)).map((image) => image.split(':')[1])).size).toBe(1);
  });

  test('standalone activities are off', () => {
    expect(deployText('compose/dynamic-config.yaml')).toMatch(/^activity\.enableStandalone:\n {2}- value: false$/m);
    expect(service('temporal').volumes).toEqual(['./dynamic-config.yaml:/etc/temporal/dynamic-config.yaml:ro']);
  });
});

describe('its scripts', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'keyturn-prepare-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  test('namespace.sh makes every search attribute, with its type', () => {
    const [, command = ''] = /search-attribute create((?:[^\n]*\\\n)*[^\n#]*)/.exec(deployText('compose/namespace.sh')) ?? [];
    // One type a name: of several names after one type the command line makes the first alone, and says nothing.
    expect(command.match(/--name/g)?.length).toBe(command.match(/--type/g)?.length);
    const made = [...command.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name = '', type = '']) => `${name} ${type.toUpperCase()}`);
    const wanted = Object.values(attributes).map(({ name, type }) => `${name} ${type.replaceAll('_', '')}`);
    expect(made.sort()).toEqual(wanted.sort());
  });

  test('prepare.sh makes every secret, for its owner alone, and never over another', async () => {
    const keys = join(dir, 'gate/.keyturn/keys');
    await mkdir(keys, { recursive: true });
    for (const name of ['executor-bank', 'api']) await writeFile(join(keys, `${name}.key`), newPrivateKey());
    const secrets = join(dir, 'secrets');
    const prepare = () => run('sh', [join(DEPLOY, 'compose/prepare.sh'), join(dir, 'gate'), secrets]);
    await prepare();
    for (const name of Object.keys(compose.secrets)) {
      const { mode, size } = await stat(join(secrets, name));
      expect({ name, mode: mode & 0o777, isEmpty: size === 0 }).toEqual({ name, mode: 0o600, isEmpty: false });
    }
    const password = await readFile(join(secrets, 'ledger_db_password'), 'utf8');
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(await readFile(join(secrets, 'ledger_address'), 'utf8')).toBe(`postgres://keyturn:${password}@ledger-db:5432/ledger`);
    await expect(prepare()).rejects.toThrow();
    expect(await readFile(join(secrets, 'ledger_db_password'), 'utf8')).toBe(password);
  });
});
