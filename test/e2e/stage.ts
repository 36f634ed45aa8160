import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Account, BreakwaterServer } from '../support/breakwater.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { type DockerDaemon, startDockerDaemon } from '../support/docker-daemon.ts';
import { requirePeer } from '../support/peers.ts';
import { openPodman, type Podman } from '../support/podman.ts';
import { type Outcome, type RunOptions, run } from '../support/program.ts';
import { shown, typedInput, typedWords } from './terminal.ts';

/** The people of the journey. */
/** Pushes to `front` and `back`. */
export const DEVELOPER: Account = { user: 'alice', password: 'developer-password' };
/** The second administrator: what one asks for, the other decides. */
export const OFFICER: Account = { user: 'bob', password: 'officer-password' };
/** What a cluster pulls with: may read, nothing else. */
export const PULLER: Account = { user: 'cluster', password: 'cluster-password' };

const DAY_MS = 86_400_000;

/** Everything the steps share. Parts are started by the step that needs them first. */
export interface Stage {
  readonly folder: string;
  readonly dataDir: string;
  /** Throws before step 1. */
  server(): BreakwaterServer;
  setServer(server: BreakwaterServer): void;
  /** The admin's password as the first start printed it. */
  adminPassword: string;
  docker(): Promise<DockerDaemon>;
  podman(): Promise<Podman>;
  cluster(): Promise<TestCluster>;
  /** Is run, last first, when the journey is over, whatever came of it. */
  atEnd(action: () => Promise<unknown>): void;
  /** Runs `breakwater …` as somebody and shows it. */
  breakwater(
    who: string | Account,
    args: readonly string[],
    options?: RunOptions & { lines?: number },
  ): Promise<Outcome>;
  /** Runs a program without showing it. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Shows a command that is run in a way of its own. */
  show(user: string, command: string, outcome: Promise<Outcome>): Promise<Outcome>;
  /** Runs any program as somebody and shows it; credentials are kept from the screen. */
  type(
    user: string,
    program: string,
    args: readonly string[],
    options?: RunOptions & { lines?: number },
  ): Promise<Outcome>;
  close(): Promise<void>;
}

/** An empty stage in a folder of its own. */
export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-e2e-'));
  const endings: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  let server: BreakwaterServer | undefined;
  endings.push(async () => {
    if (server) await server.stop();
  });
  const once = <Part>(start: () => Promise<Part>, stop: (part: Part) => Promise<unknown>) => {
    let part: Promise<Part> | undefined;
    return () => {
      part ??= start().then((started) => {
        endings.push(() => stop(started));
        return started;
      });
      return part;
    };
  };
  const stage: Stage = {
    folder,
    dataDir: join(folder, 'data'),
    adminPassword: '',
    server() {
      if (server === undefined) throw new Error('the server is started in step 1');
      return server;
    },
    setServer(started) {
      server = started;
    },
    docker: once(
      () => startDockerDaemon(stage.server().host),
      (daemon) => daemon.stop(),
    ),
    podman: once(openPodman, (podman) => podman.remove()),
    cluster: once(startCluster, (cluster) => cluster.stop()),
    atEnd: (action) => void endings.push(action),
    breakwater(who, args, { lines, ...options } = {}) {
      const account = typeof who === 'string' ? { user: who, password: stage.adminPassword } : who;
      const command = `${typedInput(hidden(options))}npx breakwater ${typedWords(args)}`;
      const typed = { user: account.user, command, ...(lines === undefined ? {} : { lines }) };
      return shown(typed, stage.server().cli(args, { ...options, account }));
    },
    run: (program, args, options) => run(requirePeer(program), args, options),
    show: (user, command, outcome) => shown({ user, command }, outcome),
    type(user, program, args, { lines, ...options } = {}) {
      const command = `${typedInput(hidden(options))}${program} ${typedWords(args.map(withoutSecret))}`;
      return shown(
        { user, command, ...(lines === undefined ? {} : { lines }) },
        run(requirePeer(program), args, options),
      );
    },
    async close() {
      for (const end of endings.reverse()) await end();
    },
  };
  await mkdir(stage.dataDir);
  return stage;
}

/** A login file for clients that read Docker's, as an environment. */
export async function loginFile(stage: Stage, account: Account, host: string): Promise<NodeJS.ProcessEnv> {
  const folder = await mkdtemp(join(stage.folder, 'login-'));
  const auth = Buffer.from(`${account.user}:${account.password}`).toString('base64');
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  return { DOCKER_CONFIG: folder, REGISTRY_AUTH_FILE: join(folder, 'config.json') };
}

/** A day from now, as commands take it. */
export function dayAfter(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
}

/** The folder the project is checked out in. */
export const ROOT = resolve(import.meta.dirname, '../..');

function hidden({ input, ...rest }: RunOptions): RunOptions {
  return input === undefined ? rest : { ...rest, input: input.includes('\n') ? input : '(secret)' };
}

/** `user:password` of `--creds` and curl's `--user` is not for the screen. */
function withoutSecret(word: string, at: number, all: readonly string[]): string {
  if (all[at - 1] === '--user') return word.replace(/:.*$/, ':…');
  return word.replace(/^(--(?:\w+-)?creds=[^:]+:).*$/, '$1…');
}
