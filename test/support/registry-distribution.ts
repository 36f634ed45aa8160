import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { requirePeer } from './peers.ts';
import { answers, startService, until } from './program.ts';

/** The account of a registry that asks for Basic authentication. */
export const UPSTREAM_ACCOUNT = { user: 'upstream', password: 'upstream-password' } as const;
/** bcrypt of the password above; the server takes nothing else. */
const PASSWORD_FILE = `upstream:$2y$05$L/PqLW1QFxYgnKbgA0pnjuGTML9xHDf2rHYOftw68DvzvP6kVKShK\n`;

/** A CNCF Distribution on the loopback address, with a folder of its own. */
export interface DistributionServer {
  readonly url: string;
  /** `127.0.0.1:port`, as it stands in image names. */
  readonly host: string;
  readonly pid: number;
  /** Its storage folder, "rootdirectory". */
  readonly storage: string;
  /** SIGKILL; the folder stays, `start` brings it back on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** Starts it on a free port. `basic` asks every client for `UPSTREAM_ACCOUNT`. */
export async function startDistribution(options: { basic?: boolean } = {}): Promise<DistributionServer> {
  const program = requirePeer('registry');
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-distribution-'));
  const host = `127.0.0.1:${await freePort()}`;
  await writeFile(join(folder, 'htpasswd'), PASSWORD_FILE);
  await writeFile(join(folder, 'config.json'), JSON.stringify(configuration(folder, host, options.basic === true)));
  const open = async () => {
    const service = await startService(program, ['serve', join(folder, 'config.json')], {
      environment: { OTEL_TRACES_EXPORTER: 'none' },
    });
    await until(() => answers(`http://${host}/v2/`), {
      limitMs: 20_000,
      describe: () => 'Distribution did not start:',
      service,
    });
    return service;
  };
  let service = await open();
  return {
    url: `http://${host}`,
    host,
    storage: join(folder, 'data'),
    get pid() {
      return service.pid;
    },
    kill: () => service.kill(),
    async start() {
      service = await open();
    },
    async stop() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(folder: string, host: string, basic: boolean): object {
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host },
    ...(basic ? { auth: { htpasswd: { realm: 'upstream', path: join(folder, 'htpasswd') } } } : {}),
  };
}
