import { chown, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { packageRoot } from '../../src/temporal/paths.js';
import { service } from './compose.js';
import { Part, run, type Command } from './processes.js';

/** Whom the parts run as when the test is root: nobody, as in the image, can write only where they are given to. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

export interface Place {
  /** In place of /run/secrets. */
  readonly secrets: string;
  readonly temporal: string;
  /** In place of the port the image listens on. */
  readonly apiPort: string;
  /** In place of each address compose.yaml has a part listen on, by part and variable: `executor KEYTURN_DOOR`. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** What deploy/Dockerfile puts together, in a folder instead of an image: the same modules by the same command, the same files, the same commands. */
export class Image {
  private constructor(
    private readonly dir: string,
    private readonly place: Place,
  ) {}

  static async assemble(dir: string, place: Place): Promise<Image> {
    const app = join(dir, 'app');
    await mkdir(app, { recursive: true });
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) await cp(join(packageRoot, file), join(app, file));
    await run({ path: 'npm', args: ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline'], env: process.env, cwd: app });
    for (const path of ['dist/src', 'dist/workflow-bundle.js', 'src/temporal/payload-converter.cjs'])
      await cp(join(packageRoot, path), join(app, path), { recursive: true });
    await symlink(app, join(app, 'node_modules/keyturn'));
    return new Image(dir, place);
  }

  /** The folder a part works in, with the files compose.yaml mounts there. */
  async folder(name: string, gate: string): Promise<void> {
    const folder = join(this.dir, name);
    await mkdir(join(folder, '.keyturn'), { recursive: true });
    if (isRoot) await chown(join(folder, '.keyturn'), NOBODY, NOBODY);
    await symlink(join(this.dir, 'app/node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    for (const mount of service(name).volumes) {
      const file = /\/keyturn\/([a-z]+\.[a-z]+):ro$/.exec(mount)?.[1];
      if (file !== undefined) await writeFile(join(folder, file), await readFile(join(gate, file)));
    }
    const program = join(folder, 'executor.ts');
    // Node 20 reads no types; the image's Node does.
    const text = await readFile(program, 'utf8').catch(() => undefined);
    if (text !== undefined) await writeFile(program.replace(/ts$/, 'js'), plain(text));
  }

  /** One of the image's commands, with the variables compose.yaml gives that part. */
  command(name: string, args: readonly string[]): Command {
    const given = Object.entries(service(name).environment).map(([key, value]) => {
      const address = this.place.addresses[`${name} ${key}`];
      if (address === undefined && value.startsWith('0.0.0.0'))
        throw new Error(`${name} would listen on ${value}: ${key} has no place here`);
      return [key, address ?? value.replace('/run/secrets', this.place.secrets)] as const;
    });
    return {
      path: process.execPath,
      args: [join(this.dir, 'app/dist/src/cli/main.js'), ...args],
      env: { ...Object.fromEntries(given), TEMPORAL_ADDRESS: this.place.temporal, KEYTURN_DEVELOPMENT: '1', NODE_ENV: 'production' },
      cwd: join(this.dir, name),
      ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    };
  }

  /** The end of what each part said. */
  async logs(): Promise<string> {
    const said = (await readdir(this.dir)).filter((name) => name.endsWith('.log'));
    const ends = said.map(async (name) => `${name}:\n${(await readFile(join(this.dir, name), 'utf8')).slice(-2_000)}`);
    return (await Promise.all(ends)).join('\n');
  }

  /** Starts a part and waits for the line that says it is ready; one that never says it is ended. */
  async start(name: string, args: readonly string[]): Promise<Part> {
    const log = join(this.dir, `${name}.log`);
    const part = await Part.start(this.command(name, args), log);
    try {
      await part.until(async () => (await readFile(log, 'utf8')).includes(`"keyturn":"${name}"`), log);
    } catch (error) {
      await part.stop();
      throw error;
    }
    return part;
  }
}

const plain = (text: string): string =>
  transpileModule(text, { compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 } }).outputText;
