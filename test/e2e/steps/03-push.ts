import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataPath } from '../../support/data.ts';
import { isLeftOut } from '../../support/peers.ts';
import { openWire } from '../../support/wire.ts';
import { ended, holds, leavesOut, matches, same } from '../check.ts';
import { alpineArchive, alpineRoot, layout } from '../images.ts';
import { DEVELOPER, loginFile, type Stage } from '../stage.ts';
import { say } from '../terminal.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const WORST = 'CVE-2021-36159 in apk-tools 2.10.6-r0 (fixed in 2.10.7-r0)';

interface Scan {
  readonly packages: readonly { readonly name: string; readonly version: string }[];
  readonly findings: readonly { readonly id: string }[];
}

/** Every client pushes a real image; what is found in each is what independent tools list. */
export async function pushImages(stage: Stage): Promise<void> {
  const { host } = stage.server();
  const creds = `${DEVELOPER.user}:${DEVELOPER.password}`;
  const copy = ['--insecure-policy', 'copy', '--dest-tls-verify=false', `--dest-creds=${creds}`];
  for (const [release, tag] of [
    ['3.10.9', '3.10'],
    ['3.20.3', '3.20'],
  ] as const) {
    const archive = await alpineArchive(stage, release);
    for (const project of ['front', 'back']) {
      const words = [...copy, `docker-archive:${archive}`, `docker://${host}/${project}/alpine:${tag}`];
      ended(
        await stage.type('alice', 'skopeo', words),
        0,
        `skopeo pushes Alpine ${release} to ${project}, bad as it is`,
      );
    }
  }
  if (!leavesOut('podman')) await pushWithPodman(stage, host);
  if (!leavesOut('docker')) await pushWithDocker(stage, host);
  await pushInParts(stage, host);

  say('what is found in each image is what the package manager itself lists');
  await sameList(stage, 'back/alpine:3.10', 'alpine/alpine-minirootfs-3.10.9-x86_64.tar.gz.tsv');
  await sameList(stage, 'back/alpine:3.20', 'alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz.tsv');
  if (!isLeftOut('podman'))
    await sameList(stage, 'back/podman:3.20', 'alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz.tsv');
  if (!isLeftOut('docker')) await sameList(stage, 'back/docker:12', 'debian/debian-12-minbase.tar.gz.tsv');
  await sameList(stage, 'back/whiteout:1', 'whiteouts/made-npm-remove-lodash.packages.tsv');
  await warningOnPush(stage);
}

async function pushWithPodman(stage: Stage, host: string): Promise<void> {
  const { podman } = await stage.podman();
  const image = `${host}/back/podman:3.20`;
  ended(await podman(['import', alpineRoot('3.20.3'), image]), 0, 'podman imports a root file system');
  const login = ['login', '--tls-verify=false', '--username', DEVELOPER.user, '--password-stdin', host];
  ended(await podman(login, { input: DEVELOPER.password }), 0, 'podman logs in');
  ended(
    await stage.show('alice', `podman push --tls-verify=false ${image}`, podman(['push', '--tls-verify=false', image])),
    0,
    'podman pushes',
  );
}

async function pushWithDocker(stage: Stage, host: string): Promise<void> {
  const { docker } = await stage.docker();
  const image = `${host}/back/docker:12`;
  ended(
    await docker(['import', dataPath('images/debian/debian-12-minbase.tar.gz'), image]),
    0,
    'docker imports Debian',
  );
  const login = ['login', '--username', DEVELOPER.user, '--password-stdin', host];
  ended(await docker(login, { input: DEVELOPER.password }), 0, 'docker logs in');
  ended(await stage.show('alice', `docker push ${image}`, docker(['push', image])), 0, 'docker pushes');
}

/** Two layers, of which the upper one removes a package of the lower one, by a client that mounts and finds blobs. */
async function pushInParts(stage: Stage, host: string): Promise<void> {
  const layers = [
    dataPath('images/layers/npm-vulnerable-app.tar.gz'),
    dataPath('images/whiteouts/made-npm-remove-lodash.tar.gz'),
  ];
  const { path } = layout(stage, 'whiteout', layers);
  const environment = await loginFile(stage, DEVELOPER, host);
  const pushed = await stage.type('alice', 'crane', ['--insecure', 'push', path, `${host}/back/whiteout:1`], {
    environment,
  });
  ended(pushed, 0, 'crane pushes an image of two layers');
  holds(pushed.screen, 'back/whiteout:1 is allowed with a warning', 'and prints the warning of the reply');
}

async function sameList(stage: Stage, image: string, list: string): Promise<void> {
  const { host } = stage.server();
  const scanned = await stage.breakwater('admin', ['scan', `${host}/${image}`, '-o', 'json'], { lines: 3 });
  ended(scanned, 0, `${image} is scanned from the registry`);
  const { packages } = JSON.parse(scanned.stdout) as Scan;
  const rows = (await readFile(join(dataPath('images/expected'), list), 'utf8')).trim().split('\n').slice(1);
  const expected = rows.map((row) => row.split('\t').slice(0, 2).join(' '));
  same(
    packages.map(({ name, version }) => `${name} ${version}`).toSorted(),
    expected.toSorted(),
    `packages of ${image}`,
  );
}

/** The reply to the push carries the verdict; clients do not print it, so it is read from the wire. */
async function warningOnPush(stage: Stage): Promise<void> {
  const { url, host } = stage.server();
  const wire = openWire({ url, ...DEVELOPER });
  try {
    const stored = await wire.send('GET', '/v2/back/alpine/manifests/3.10', { accept: MANIFEST });
    same(stored.status, 200, 'the manifest can be read from back');
    const type = String(stored.headers['content-type']);
    const reply = await wire.send('PUT', '/v2/front/alpine/manifests/again', {
      body: stored.body,
      headers: { 'content-type': type },
    });
    same(reply.status, 201, 'a push of a blocked image succeeds');
    const warning = String(reply.headers['warning']);
    say(`PUT http://${host}/v2/front/alpine/manifests/again answers 201 and\n# Warning: ${warning}`);
    matches(warning, /^299 - "front\/alpine:again is blocked: /, 'the reply names the verdict');
    holds(warning, WORST, 'and the worst finding with its fix');
  } finally {
    await wire.close();
  }
}
