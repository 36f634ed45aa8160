import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Account,
  type BreakwaterServer,
  runCli,
  type StartOptions,
  startBreakwater,
} from '../support/breakwater.ts';
import type { TestCluster } from '../support/cluster.ts';
import type { Outcome } from '../support/program.ts';
import type { ShownOptions, Terminal } from './terminal.ts';

/** One step of the journey, the numbers as in the description of the project. */
export interface Step {
  readonly title: string;
  /** Names of `BREAKWATER_LEAVE_OUT` without which it makes no sense. */
  readonly needs?: readonly string[];
  run(journey: Journey): Promise<void>;
}

/** What the steps hand on to each other. */
export interface Journey {
  readonly terminal: Terminal;
  /** For files; removed at the end. */
  readonly folder: string;
  /** When the journey began, RFC 3339. */
  readonly began: string;
  /** The server under way. Throws before the first step. */
  readonly server: BreakwaterServer;
  /** The API server under way. Throws before the step that starts it. */
  readonly cluster: TestCluster;
  readonly hasCluster: boolean;
  /** Starts Breakwater over the folder of the journey, where it was before. */
  start(options?: Pick<StartOptions, 'environment'>): Promise<BreakwaterServer>;
  useCluster(cluster: TestCluster): void;
  /** Runs `breakwater …` as the administrator, or as the account given. */
  breakwater(args: readonly string[], options?: ShownOptions & { account?: Account }): Promise<Outcome>;
  /** The same with `-o json`, and its value. */
  json<T>(args: readonly string[], options?: ShownOptions & { account?: Account }): Promise<T>;
  /** Something to end when the journey is over. */
  defer(end: () => Promise<unknown>): void;
  end(): Promise<void>;
}

/** The application developer of the journey. */
export const DEVELOPER: Account = { user: 'dora', password: 'password-of-dora' };

export async function openJourney(terminal: Terminal): Promise<Journey> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-journey-'));
  const dataDir = join(folder, 'data');
  const ends: (() => Promise<unknown>)[] = [];
  let server: BreakwaterServer | undefined;
  let cluster: TestCluster | undefined;
  let password = '';

  const journey: Journey = {
    terminal,
    folder,
    began: new Date().toISOString(),
    get server() {
      if (server === undefined) throw new Error('there is no server: the first step failed');
      return server;
    },
    get cluster() {
      if (cluster === undefined) throw new Error('there is no cluster: the step that starts it failed');
      return cluster;
    },
    get hasCluster() {
      return cluster !== undefined;
    },
    async start(options = {}) {
      const ports = server === undefined ? {} : { ports: server.ports };
      const started = await startBreakwater({ ...options, ...ports, dataDir, adminPassword: null });
      // The password is printed once, by the first start of all.
      password ||= started.password;
      server = { ...started, password };
      return server;
    },
    useCluster(started) {
      cluster = started;
      ends.push(() => started.stop());
    },
    breakwater(args, options = {}) {
      const account = options.account ?? { user: 'admin', password };
      const environment = {
        BREAKWATER_URL: journey.server.url,
        BREAKWATER_USER: account.user,
        BREAKWATER_PASSWORD: account.password,
        BREAKWATER_CONFIG_HOME: join(folder, 'config'),
        ...options.environment,
      };
      const as = options.account === undefined ? '' : `(${account.user}) `;
      return terminal.show(
        `${as}breakwater ${args.map(quoted).join(' ')}`,
        runCli(args, { ...options, environment, folder }),
        options,
      );
    },
    async json(args, options) {
      return JSON.parse((await journey.breakwater([...args, '-o', 'json'], { quiet: 12, ...options })).stdout);
    },
    defer: (end) => void ends.push(end),
    async end() {
      for (const end of ends.reverse()) await end().catch(() => undefined);
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return journey;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
