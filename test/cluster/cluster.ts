import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { temporalBinary } from '../../src/temporal/binary.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { serverBinaries, type ServerBinaries } from './binaries.js';
import { DEPLOY, service, tagOf } from './compose.js';
import { freePorts, Part, run } from './processes.js';

const READY_MS = 90_000;
const PORTS = ['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].flatMap((part) => [`${part}_GRPC_PORT`, `${part}_MEMBERSHIP_PORT`]);
export const SHARDS = 16;

const PAUSE = '\nfrontend.WorkflowPauseEnabled:\n  - value: true\n';

/**
 * Temporal's server, not its dev server, on a real PostgreSQL, as deploy/compose/compose.yaml has it: its environment, schema.sh, namespace.sh and
 * dynamic-config.yaml. Other than there: ports, 16 shards, everything on 127.0.0.1 without containers, and PostgreSQL asks this machine for no password.
 */
export class Cluster {
  private server: Part | undefined;
  private constructor(
    readonly dir: string,
    readonly binaries: ServerBinaries,
    readonly postgres: TestPostgres,
    private readonly databasePort: string,
    private readonly ports: readonly string[],
    /** Of the schema tool and the Temporal CLI under the names the scripts call them by. */
    readonly path: string,
  ) {}

  static async open(dir: string, log: (line: string) => void): Promise<Cluster> {
    const binaries = await serverBinaries(tagOf('temporal'), log);
    const cli = await temporalBinary({ log });
    const bin = join(dir, 'bin');
    await mkdir(bin);
    await symlink(binaries.sqlTool, join(bin, 'temporal-sql-tool'));
    await symlink(cli.path, join(bin, 'temporal'));
    const [databasePort = '', ...ports] = await freePorts(2 + PORTS.length);
    const postgres = await startPostgres({ listen_addresses: '127.0.0.1', port: databasePort, max_connections: '250' });
    log(`PostgreSQL ${postgres.version} on 127.0.0.1:${databasePort}`);
    return new Cluster(dir, binaries, postgres, databasePort, ports, `${bin}${delimiter}${process.env['PATH'] ?? ''}`);
  }

  get address(): string {
    return `127.0.0.1:${this.ports[0] ?? ''}`;
  }

  /** A database of the same PostgreSQL, reached over TCP as another container's is. */
  async newLedgerAddress(): Promise<string> {
    const [, name = ''] = /\/(\w+)\?/.exec(await this.postgres.createDatabase()) ?? [];
    return `postgres://keyturn@127.0.0.1:${this.databasePort}/${name}`;
  }

  /** deploy/compose/schema.sh. */
  async makeSchema(): Promise<void> {
    const here = {
      SQL_HOST: '127.0.0.1',
      SQL_PORT: this.databasePort,
      SQL_USER: 'keyturn',
      SQL_PASSWORD: 'none',
      SCHEMA_DIR: this.binaries.schema,
    };
    const env = { PATH: this.path, ...service('temporal-schema').environment, ...here };
    await run({ path: 'sh', args: [join(DEPLOY, 'compose/schema.sh')], env });
  }

  /** deploy/compose/namespace.sh. */
  async makeNamespace(namespace: string): Promise<void> {
    const env = { PATH: this.path, HOME: this.dir, TEMPORAL_ADDRESS: this.address, TEMPORAL_NAMESPACE: namespace };
    await run({ path: 'sh', args: [join(DEPLOY, 'compose/namespace.sh')], env });
  }

  /** The Temporal CLI. */
  temporal(...args: string[]): Promise<string> {
    return run({ path: 'temporal', args: [...args, '--address', this.address], env: { PATH: this.path, HOME: this.dir } });
  }

  /** Starts the server and resolves when it answers. `standalone`: with activities outside workflows, which deploy/ switches off and some attacks need, and Pause. */
  async start({ standalone }: { readonly standalone: boolean }): Promise<void> {
    const dynamicConfig = join(this.dir, 'dynamic-config.yaml');
    const shipped = await readFile(join(DEPLOY, 'compose/dynamic-config.yaml'), 'utf8');
    await writeFile(dynamicConfig, standalone ? `${shipped.replace('value: false', 'value: true')}${PAUSE}` : shipped);
    const named = [...PORTS, 'FRONTEND_HTTP_PORT'].map((name, i) => [name, this.ports[i] ?? ''] as const);
    const env: NodeJS.ProcessEnv = {
      PATH: this.path,
      ...service('temporal').environment,
      ...Object.fromEntries(named),
      ...{ POSTGRES_SEEDS: '127.0.0.1', DB_PORT: this.databasePort, POSTGRES_USER: 'keyturn', POSTGRES_PWD: 'none' },
      ...{ BIND_ON_IP: '127.0.0.1', NUM_HISTORY_SHARDS: String(SHARDS), DYNAMIC_CONFIG_FILE_PATH: dynamicConfig },
    };
    this.server = await Part.start({ path: this.binaries.server, args: ['start'], env, cwd: this.dir }, join(this.dir, 'temporal.log'));
    await this.untilReady(this.server);
  }

  private async untilReady(server: Part): Promise<void> {
    for (const end = performance.now() + READY_MS; ; await sleep(200)) {
      try {
        const connection = await Connection.connect({ address: this.address, connectTimeout: 1_000 });
        try {
          await connection.workflowService.describeNamespace({ namespace: 'temporal-system' });
          return;
        } finally {
          await connection.close();
        }
      } catch (error) {
        if (server.ended || performance.now() > end)
          throw new Error(`The Temporal server did not start:\n${(await readFile(join(this.dir, 'temporal.log'), 'utf8')).slice(-4_000)}`, {
            cause: error,
          });
      }
    }
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.postgres.stop();
  }
}
