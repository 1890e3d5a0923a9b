import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { kubernetesSchemas, RELEASES, type Schemas } from '../helpers/kubernetes-schemas.js';
import { deployFiles, deployText, reads } from './files.js';

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
type Manifest = z.infer<typeof objectSchema>;
const FOLDER = 'kubernetes/';
const FILES = deployFiles().filter((path) => path.startsWith(FOLDER) && !path.endsWith('kustomization.yaml'));
const objects: readonly Manifest[] = FILES.flatMap((path) =>
  parseAllDocuments(deployText(path)).map((document) => objectSchema.parse(document.toJS())),
);

const podSchema = z.looseObject({
  serviceAccountName: z.string(),
  automountServiceAccountToken: z.literal(false),
  securityContext: z.looseObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().positive(),
    seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
  }),
  containers: z
    .array(
      z.looseObject({
        name: z.string(),
        image: z.string(),
        args: z.array(z.string()),
        env: z.array(z.strictObject({ name: z.string(), value: z.string() })).default([]),
        resources: z.object({ requests: z.object({ cpu: z.string(), memory: z.string() }), limits: z.object({ memory: z.string() }) }),
        securityContext: z.strictObject({
          allowPrivilegeEscalation: z.literal(false),
          readOnlyRootFilesystem: z.literal(true),
          capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
        }),
        volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
      }),
    )
    .length(1),
  volumes: z.array(z.looseObject({ name: z.string(), secret: z.looseObject({ secretName: z.string() }).optional() })),
});
const workloadSchema = z.looseObject({
  kind: z.enum(['Deployment', 'Job']),
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
  spec: z.looseObject({
    template: z.looseObject({ metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }), spec: z.unknown() }),
  }),
});
const workloads = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'Job').map((each) => workloadSchema.parse(each));
const podOf = (name: string): z.infer<typeof podSchema> =>
  podSchema.parse(workloads.find(({ metadata }) => metadata.name === name)?.spec.template.spec);
const NAMES = workloads.map(({ metadata }) => metadata.name);

describe.each(RELEASES)("Kubernetes %s's own strict schemas", (release) => {
  let schemaOf: Schemas;
  beforeAll(async () => {
    schemaOf = await kubernetesSchemas(release);
  }, 200_000);

  test.each(objects.map((each) => [`${each.kind} ${each.metadata.name}`, each] as const))('%s', async (_name, manifest) => {
    const validate = await schemaOf(manifest.apiVersion, manifest.kind);
    validate(manifest);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('they refuse a field that does not exist', async () => {
    const validate = await schemaOf('apps/v1', 'Deployment');
    const [first] = objects.filter(({ kind }) => kind === 'Deployment');
    expect(validate(first)).toBe(true);
    expect(validate(JSON.parse(JSON.stringify(first).replace('"readOnlyRootFilesystem"', '"readOnlyRootFileSystem"')))).toBe(false);
  });
});

describe('the manifests', () => {
  test('the base names every file but the one that is applied by hand', () => {
    const { resources } = z.looseObject({ resources: z.array(z.string()) }).parse(parse(deployText(`${FOLDER}kustomization.yaml`)));
    expect([...resources, 'ledger-init.yaml'].sort()).toEqual(FILES.map((path) => path.slice(FOLDER.length)).sort());
  });

  test.each(NAMES)('%s: no privilege, no token, nothing to write on but .keyturn, only variables it reads', (name) => {
    const pod = podOf(name);
    const [container] = pod.containers;
    const part = name.replace(/^keyturn-/, '').replace('ledger-init', 'executor');
    expect((container?.env ?? []).map((each) => each.name).filter((variable) => !reads(part, variable))).toEqual([]);
    const writable = (container?.volumeMounts ?? []).filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath);
    expect(writable.filter((path) => path !== '/keyturn/.keyturn')).toEqual([]);
    expect(container?.image).toMatch(/:\d+\.\d+\.\d+$/);
  });

  test('secrets are referenced, never contained; the executor’s are in a namespace of its own', () => {
    expect(objects.filter(({ kind }) => kind === 'Secret' || kind === 'ConfigMap')).toEqual([]);
    const secretsOf = (name: string): string[] => podOf(name).volumes.flatMap(({ secret }) => secret?.secretName ?? []);
    expect(secretsOf('keyturn-api')).toEqual(['keyturn-api', 'keyturn-temporal']);
    expect(secretsOf('keyturn-worker')).toEqual(['keyturn-temporal']);
    expect(secretsOf('keyturn-executor')).toEqual(['keyturn-executor', 'keyturn-temporal']);
    const namespaces = new Map(workloads.map(({ metadata }) => [metadata.name, metadata.namespace]));
    expect(namespaces.get('keyturn-executor')).toBe('keyturn-executor');
    expect([namespaces.get('keyturn-api'), namespaces.get('keyturn-worker')]).toEqual(['keyturn', 'keyturn']);
  });

  test('the API is asked at the doors it has, on the port it listens on', () => {
    const [api] = podOf('keyturn-api').containers;
    const probes = z
      .looseObject({ livenessProbe: probe('/healthz'), startupProbe: probe('/healthz'), readinessProbe: probe('/readyz') })
      .safeParse(api);
    expect(probes.error).toBeUndefined();
    expect(api?.['ports']).toEqual([{ name: 'http', containerPort: 7878 }]);
    expect(api?.args.slice(-2)).toEqual(['--port', '7878']);
  });

  test('worker and executor listen where they say, and there alone', () => {
    const portsOf = (name: string): unknown => podOf(name).containers[0]?.['ports'];
    const addressOf = (name: string, variable: string) => podOf(name).containers[0]?.env.find((each) => each.name === variable)?.value;
    expect(portsOf('keyturn-worker')).toEqual([{ name: 'metrics', containerPort: 9464 }]);
    expect(portsOf('keyturn-executor')).toEqual([
      { name: 'door', containerPort: 7879 },
      { name: 'metrics', containerPort: 9464 },
    ]);
    for (const name of ['keyturn-worker', 'keyturn-executor']) expect(addressOf(name, 'KEYTURN_METRICS')).toBe('0.0.0.0:9464');
    expect(addressOf('keyturn-executor', 'KEYTURN_DOOR')).toBe('0.0.0.0:7879');
    expect(portsOf('keyturn-ledger-init')).toBeUndefined();
    const door = probe('/healthz', 'door');
    const [executor] = podOf('keyturn-executor').containers;
    const probes = z.looseObject({ livenessProbe: door, startupProbe: door, readinessProbe: door }).safeParse(executor);
    expect(probes.error).toBeUndefined();
  });

  test('a service leads to the API and one to the door, by the name of a port of those pods; none to metrics or to the worker', () => {
    const services = objects.filter(({ kind }) => kind === 'Service').map(({ metadata, ...rest }) => ({ ...metadata, spec: rest['spec'] }));
    const leads = (name: string, port: string) => ({
      selector: { 'app.kubernetes.io/name': name },
      ports: [{ name: port, port: 80, targetPort: port }],
    });
    expect(services).toEqual([
      { name: 'keyturn-api', namespace: 'keyturn', spec: leads('keyturn-api', 'http') },
      { name: 'keyturn-door', namespace: 'keyturn-executor', spec: leads('keyturn-executor', 'door') },
    ]);
  });

  test.each([
    ['keyturn-api', '7878'],
    ['keyturn-worker', '9464'],
    ['keyturn-executor', '9464'],
  ])('%s tells Prometheus that its metrics are at port %s', (name, port) => {
    const workload = workloads.find(({ metadata }) => metadata.name === name);
    expect(workload?.spec.template.metadata['annotations']).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': port,
      'prometheus.io/path': '/metrics',
    });
    expect(JSON.stringify(podOf(name).containers[0]?.['ports'])).toContain(`"containerPort":${port}`);
  });

  test('each deployment keeps one pod through a drain', () => {
    const kept = objects.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ metadata }) => metadata.name);
    const deployments = workloads.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name);
    expect(kept.sort()).toEqual(deployments.sort());
  });
});

const probe = (path: string, port = 'http') => z.looseObject({ httpGet: z.strictObject({ path: z.literal(path), port: z.literal(port) }) });

describe('network policies', () => {
  const selector = z.strictObject({ matchLabels: z.record(z.string(), z.string()) });
  const policySchema = z.strictObject({
    podSelector: z.strictObject({ matchLabels: z.record(z.string(), z.string()).optional() }),
    policyTypes: z.tuple([z.literal('Ingress'), z.literal('Egress')]),
    ingress: z
      .array(
        z.strictObject({
          from: z.array(z.strictObject({ namespaceSelector: selector, podSelector: selector.optional() })).min(1),
          ports: z.array(z.strictObject({ protocol: z.literal('TCP'), port: z.int() })).min(1),
        }),
      )
      .optional(),
    egress: z
      .array(
        z.strictObject({ to: z.array(z.looseObject({})).min(1), ports: z.array(z.strictObject({ protocol: z.string(), port: z.int() })) }),
      )
      .optional(),
  });
  const policies = objects
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map(({ metadata, ...rest }) => ({ ...metadata, spec: policySchema.parse(rest['spec']) }));
  const portsOf = (name: string): number[] =>
    policies
      .filter((each) => each.name === name)
      .flatMap(({ spec }) => (spec.egress ?? []).flatMap(({ ports }) => ports.map(({ port }) => port)));

  test('each namespace begins with nothing', () => {
    const all = policies.filter(({ name }) => name === 'nothing');
    expect(all.map(({ namespace }) => namespace).sort()).toEqual(['keyturn', 'keyturn-executor']);
    for (const { spec } of all) expect(spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });

  test('API and worker reach Temporal and names, and no database', () => {
    for (const name of ['keyturn-api', 'keyturn-worker']) {
      expect(portsOf(name)).toEqual([7233, 53, 53]);
      expect(JSON.stringify(policies.filter((each) => each.name === name))).not.toContain('ipBlock');
    }
  });

  test('the executor reaches Temporal, names, its database and its target', () => {
    expect(portsOf('keyturn-executor')).toEqual([7233, 53, 53, 5432, 443]);
  });

  test('the door is reached by what ends TLS, metrics by Prometheus; no part of ours reaches another', () => {
    const callers = (name: string) =>
      policies
        .filter((each) => each.name === name)
        .flatMap(({ spec }) => spec.ingress ?? [])
        .flatMap(({ from, ports }) =>
          from.flatMap(({ namespaceSelector, podSelector }) =>
            ports.map(({ port }) => [port, ...Object.values({ ...namespaceSelector.matchLabels, ...podSelector?.matchLabels })].join(' ')),
          ),
        );
    expect(callers('keyturn-api')).toEqual(['7878 ingress', '7878 monitoring prometheus']);
    expect(callers('keyturn-worker')).toEqual(['9464 monitoring prometheus']);
    expect(callers('keyturn-executor')).toEqual(['7879 ingress', '9464 monitoring prometheus']);
  });

  test('each selects pods that there are, in their namespace', () => {
    const pods = workloads.map(
      ({ metadata, spec }) => `${metadata.namespace} ${spec.template.metadata.labels['app.kubernetes.io/name'] ?? ''}`,
    );
    for (const { name, namespace = '', spec } of policies.filter((each) => each.name !== 'nothing')) {
      expect(pods).toContain(`${namespace} ${spec.podSelector.matchLabels?.['app.kubernetes.io/name'] ?? ''}`);
      expect(name).toBe(spec.podSelector.matchLabels?.['app.kubernetes.io/name']);
    }
  });
});
