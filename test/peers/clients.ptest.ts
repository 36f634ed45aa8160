import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBreakwater } from '../support/breakwater.ts';
import { type Containerd, startContainerd } from '../support/containerd.ts';
import { type DockerDaemon, startDockerDaemon } from '../support/docker-daemon.ts';
import { writeOciLayout } from '../support/oci-layout.ts';
import { isLeftOut, requirePeer } from '../support/peers.ts';
import { openPodman } from '../support/podman.ts';
import { type Outcome, run } from '../support/program.ts';
import { startDistribution, UPSTREAM_ACCOUNT } from '../support/registry-distribution.ts';

interface Target {
  readonly host: string;
  readonly user: string;
  readonly password: string;
  stop(): Promise<unknown>;
}

/** The second row is the control: what a client cannot do with CNCF Distribution either is not our failure. */
const TARGETS: readonly (readonly [name: string, start: () => Promise<Target>])[] = [
  ['Breakwater', breakwater],
  ['CNCF Distribution', distribution],
];

async function breakwater(): Promise<Target> {
  const server = await startBreakwater();
  done(await server.cli(['project', 'create', 'clients']));
  return { host: server.host, user: 'admin', password: server.password, stop: () => server.stop() };
}

async function distribution(): Promise<Target> {
  const server = await startDistribution({ basic: true });
  return { host: server.host, ...UPSTREAM_ACCOUNT, stop: () => server.stop() };
}

let folder: string;
let digest: string;
const NAME = 'sample';

beforeAll(async () => {
  // Lower case throughout: podman makes an image name of the path.
  folder = join(tmpdir(), `breakwater-clients-${randomUUID()}`);
  await mkdir(folder);
  const layers = [];
  // One layer that fits into a single request of every client, one that is sent in pieces by some.
  for (const [name, size] of [
    ['small', 1000],
    ['large', 12_000_000],
  ] as const) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, `${name}.bin`), randomBytes(size));
    const layer = join(folder, `${name}.tar.gz`);
    done(await run('tar', ['-czf', layer, '-C', join(folder, name), '.']));
    layers.push(layer);
  }
  digest = writeOciLayout(join(folder, 'layout'), { layers, name: NAME });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(TARGETS)('%s', (_, start) => {
  let target: Target;
  let login: string;
  let environment: NodeJS.ProcessEnv;
  beforeAll(async () => {
    target = await start();
    login = `${target.user}:${target.password}`;
    const config = await mkdtemp(join(folder, 'login-'));
    const auth = Buffer.from(login).toString('base64');
    await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [target.host]: { auth } } }));
    environment = { DOCKER_CONFIG: config };
  });
  afterAll(() => target?.stop());

  const image = (client: string) => `${target.host}/clients/${client}:1`;

  it.skipIf(isLeftOut('skopeo'))('skopeo', async () => {
    const skopeo = requirePeer('skopeo');
    const from = `oci:${join(folder, 'layout')}:${NAME}`;
    const to = `docker://${image('skopeo')}`;
    done(
      await run(skopeo, ['--insecure-policy', 'copy', '--dest-tls-verify=false', `--dest-creds=${login}`, from, to]),
    );
    const copy = await out('skopeo');
    const back = ['copy', '--src-tls-verify=false', `--src-creds=${login}`, to, `oci:${copy}:${NAME}`];
    done(await run(skopeo, ['--insecure-policy', ...back]));
    expect(await layoutDigest(copy)).toBe(digest);
    // A second push finds everything there; a push under another tag mounts or finds the blobs.
    done(
      await run(skopeo, ['--insecure-policy', 'copy', '--dest-tls-verify=false', `--dest-creds=${login}`, from, to]),
    );
    done(await run(skopeo, ['inspect', '--tls-verify=false', `--creds=${login}`, to]));
  });

  it.skipIf(isLeftOut('podman'))('podman', async () => {
    const { podman, remove } = await openPodman();
    try {
      done(await podman(['pull', `oci:${join(folder, 'layout')}:${NAME}`]));
      const id = done(await podman(['images', '--quiet', '--no-trunc'])).stdout.trim();
      const layers = done(await podman(['image', 'inspect', '--format={{json .RootFS.Layers}}', id])).stdout;
      done(await podman(['push', '--tls-verify=false', `--creds=${login}`, id, image('podman')]));
      done(await podman(['rmi', '--force', id]));
      done(await podman(['pull', '--tls-verify=false', `--creds=${login}`, image('podman')]));
      expect(done(await podman(['image', 'inspect', '--format={{json .RootFS.Layers}}', image('podman')])).stdout).toBe(
        layers,
      );
    } finally {
      await remove();
    }
  });

  describe.skipIf(isLeftOut('docker'))('docker', () => {
    let daemon: DockerDaemon;
    beforeAll(async () => {
      daemon = await startDockerDaemon(target.host);
    });
    afterAll(() => daemon?.stop());

    it('logs in, pushes, pulls', async () => {
      const { docker } = daemon;
      const wrong = await docker(['login', '--username', target.user, '--password-stdin', target.host], {
        input: 'not-the-password',
      });
      expect(wrong.code).not.toBe(0);
      expect(wrong.stderr).toMatch(/unauthorized|incorrect|denied/i);
      done(
        await docker(['login', '--username', target.user, '--password-stdin', target.host], { input: target.password }),
      );
      for (const name of ['small', 'large'])
        done(await docker(['import', join(folder, `${name}.tar.gz`), `${image('docker')}-${name}`]));
      for (const name of ['small', 'large']) {
        const tag = `${image('docker')}-${name}`;
        const layers = done(await docker(['image', 'inspect', '--format={{json .RootFS.Layers}}', tag])).stdout;
        done(await docker(['push', tag]));
        done(await docker(['rmi', tag]));
        done(await docker(['pull', tag]));
        expect(done(await docker(['image', 'inspect', '--format={{json .RootFS.Layers}}', tag])).stdout).toBe(layers);
      }
    });
  });

  it.skipIf(isLeftOut('crane'))('crane', async () => {
    const crane = craneWith(environment);
    done(await crane('push', join(folder, 'layout'), image('crane')));
    expect(done(await crane('digest', image('crane'))).stdout.trim()).toBe(digest);
    const copy = await out('crane');
    done(await crane('pull', '--format=oci', image('crane'), copy));
    expect(await layoutDigest(copy)).toBe(digest);
    done(await crane('copy', image('crane'), `${target.host}/clients/crane-copy:1`));
    expect(done(await crane('ls', `${target.host}/clients/crane-copy`)).stdout.trim()).toBe('1');
    done(await crane('validate', '--remote', `${target.host}/clients/crane-copy:1`));
    done(await crane('delete', `${target.host}/clients/crane-copy@${digest}`));
    expect((await crane('digest', `${target.host}/clients/crane-copy:1`)).code).not.toBe(0);
  });

  it.skipIf(isLeftOut('oras'))('oras, with an artifact that refers to an image', async () => {
    const oras = (...args: string[]) => run(requirePeer('oras'), args, { environment, folder });
    const note = join(folder, 'note.txt');
    await writeFile(note, 'reviewed\n');
    done(await oras('cp', '--to-plain-http', '--from-oci-layout', `${join(folder, 'layout')}:${NAME}`, image('oras')));
    done(await oras('attach', '--plain-http', '--artifact-type=text/vnd.review', image('oras'), 'note.txt:text/plain'));
    const found = done(await oras('discover', '--plain-http', '--format=json', image('oras'))).stdout;
    const { referrers } = JSON.parse(found) as { referrers: readonly { digest: string; artifactType: string }[] };
    expect(referrers.map((one) => one.artifactType)).toEqual(['text/vnd.review']);
    const copy = await out('oras');
    const attached = `${target.host}/clients/oras@${referrers[0]?.digest}`;
    done(await oras('pull', '--plain-http', '--output', copy, attached));
    expect(await readFile(join(copy, 'note.txt'), 'utf8')).toBe('reviewed\n');
  });

  describe.skipIf(isLeftOut('containerd'))('containerd', () => {
    let containerd: Containerd;
    beforeAll(async () => {
      containerd = await startContainerd();
    });
    afterAll(() => containerd?.stop());

    it('pulls, pushes', async () => {
      const { ctr } = containerd;
      const archive = join(folder, 'layout.tar');
      done(await run('tar', ['-cf', archive, '-C', join(folder, 'layout'), '.']));
      const name = image('containerd');
      done(await ctr('images', 'import', '--base-name', `${target.host}/clients/containerd`, archive));
      done(await ctr('images', 'tag', `${target.host}/clients/containerd:${NAME}`, name));
      done(await ctr('images', 'push', '--plain-http', '--user', login, name));
      done(await ctr('images', 'rm', '--sync', name, `${target.host}/clients/containerd:${NAME}`));
      done(await ctr('content', 'ls', '--quiet'));
      done(await ctr('images', 'pull', '--plain-http', '--user', login, '--snapshotter=native', name));
      expect(done(await ctr('images', 'ls')).stdout).toContain(digest);
    });
  });
});

function out(client: string): Promise<string> {
  return mkdtemp(join(folder, `${client}-`));
}

function craneWith(environment: NodeJS.ProcessEnv) {
  return (...args: string[]) => run(requirePeer('crane'), ['--insecure', ...args], { environment });
}

/** The outcome, when the program ended well; else throws with all it printed. */
function done(outcome: Outcome): Outcome {
  if (outcome.code !== 0) throw new Error(`ended with ${outcome.code}:\n${outcome.screen}`);
  return outcome;
}

async function layoutDigest(layout: string): Promise<string | undefined> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
    manifests: readonly { digest: string }[];
  };
  return index.manifests[0]?.digest;
}
