import { startBreakwater } from '../../support/breakwater.ts';
import { type DistributionServer, startDistribution, UPSTREAM_ACCOUNT } from '../../support/registry-distribution.ts';
import { openWire, type Wire } from '../../support/wire.ts';
import { pod } from '../../support/workloads.ts';
import { ended, eventually, holds, lacks, leavesOut, matches, same } from '../check.ts';
import { alpineRoot, layout } from '../images.ts';
import { DEVELOPER, loginFile, type Stage } from '../stage.ts';
import { say } from '../terminal.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const ACCEPT = `${INDEX}, application/vnd.oci.image.manifest.v1+json`;
const PLATFORMS = [
  ['amd64', 'x86_64'],
  ['arm64', 'aarch64'],
] as const;

/** Public images come through a project of ours: fetched once, judged before they are served, here when the upstream is away. */
export async function mirrorImages(stage: Stage): Promise<void> {
  const upstream = await startDistribution({ basic: true });
  stage.atEnd(() => upstream.stop());
  const digest = await fillUpstream(stage, upstream);
  await pullThrough(stage, upstream, digest);
  await gatedOnFirstPull(stage, upstream);
  await copyAllPlatforms(stage, upstream, digest);
  if (!leavesOut('kubernetes')) await nameTheCopy(stage, upstream);
  await fromAnotherBreakwater(stage);

  say('the upstream goes away');
  await upstream.kill();
  const kept = await pull(stage, 'hub/library/alpine:3.15');
  ended(kept, 0, 'what was fetched is served from here');
  const copied = await pull(stage, 'back/alpine-copy:3.15');
  ended(copied, 0, 'and so is the copy');
  const unknown = await pull(stage, 'hub/library/other:1');
  same(unknown.code === 0, false, 'what was never fetched is not there');
}

/** One image for two platforms, and one that nobody should run. Gives the digest of the first. */
async function fillUpstream(stage: Stage, { host }: DistributionServer): Promise<string> {
  const environment = await loginFile(stage, UPSTREAM_ACCOUNT, host);
  const crane = (...args: string[]) => stage.type('upstream', 'crane', ['--insecure', ...args], { environment });
  for (const [architecture, machine] of PLATFORMS) {
    // Alpine publishes these for both: the older release for one, so that one line of the index is fine and one is not.
    const release = machine === 'x86_64' ? '3.15.11' : '3.20.3';
    const { path } = layout(stage, `alpine-${architecture}`, [alpineRoot(release, machine)], architecture);
    ended(await crane('push', path, `${host}/library/alpine:${architecture}`), 0, `${architecture} is upstream`);
  }
  const of = PLATFORMS.flatMap(([architecture]) => ['--manifest', `${host}/library/alpine:${architecture}`]);
  ended(await crane('index', 'append', ...of, '--tag', `${host}/library/alpine:3.15`), 0, 'an index names both');
  const { path } = layout(stage, 'alpine-bad', [alpineRoot('3.20.3')]);
  ended(await crane('push', path, `${host}/library/bad:1`), 0, 'a vulnerable image is upstream');
  return (await crane('digest', `${host}/library/alpine:3.15`)).stdout.trim();
}

async function pullThrough(stage: Stage, { host, url }: DistributionServer, digest: string): Promise<void> {
  const settings = ['--upstream', url, '--upstream-user', UPSTREAM_ACCOUNT.user, '--upstream-password-stdin'];
  const made = await stage.breakwater(
    'admin',
    ['project', 'create', 'hub', '--block', 'high', ...settings, '--freshness', '1'],
    { input: UPSTREAM_ACCOUNT.password },
  );
  ended(made, 0, 'a project mirrors the upstream');
  matches(made.stdout, /^mirrors +http:\/\/.* as upstream$/m, 'with a login there');
  lacks(made.screen, UPSTREAM_ACCOUNT.password, 'the password is not shown');
  ended(
    await stage.breakwater('admin', ['project', 'member', 'add', 'hub', DEVELOPER.user]),
    0,
    'the developer may use it',
  );
  say(`${host}/library/alpine:3.15 was never here; it is pulled through`);
  ended(await pull(stage, 'hub/library/alpine:3.15'), 0, 'an unknown image is fetched from the upstream');
  await withWire(stage, async (wire) => {
    const served = await wire.send('HEAD', '/v2/hub/library/alpine/manifests/3.15', { accept: ACCEPT });
    same(served.headers['docker-content-digest'], digest, 'byte for byte');
    const push = await wire.send('POST', '/v2/hub/library/alpine/blobs/uploads/');
    same(push.status, 403, 'nobody pushes into a mirror');
  });
}

/** The very first pull is analysed, judged and refused before a byte of the manifest is served. */
async function gatedOnFirstPull(stage: Stage, { host }: DistributionServer): Promise<void> {
  say(`${host}/library/bad:1 was never here either, and has vulnerabilities of severity high`);
  await withWire(stage, async (wire) => {
    const first = await wire.send('GET', '/v2/hub/library/bad/manifests/1', { accept: ACCEPT });
    say(`GET /v2/hub/library/bad/manifests/1 answers ${first.status}\n# ${first.body.toString()}`);
    same(first.status, 412, 'the first pull is refused');
    holds(first.body.toString(), 'PROJECTPOLICYVIOLATION', 'by policy');
    holds(first.body.toString(), 'current image with', 'in the words of the gate');
    const head = await wire.send('HEAD', '/v2/hub/library/bad/manifests/1', { accept: ACCEPT });
    same(head.status, 200, 'HEAD is never refused in a mirror: its reply has no body for the sentence');
  });
  const verdict = await stage.breakwater(DEVELOPER, ['verdict', 'hub/library/bad:1'], { lines: 6 });
  ended(verdict, 1, 'its verdict is kept like any other');
  ended(await pull(stage, 'hub/library/bad:1'), 1, 'a client is refused as well');
}

async function copyAllPlatforms(stage: Stage, { host }: DistributionServer, digest: string): Promise<void> {
  const copy = ['mirror', 'copy', `${host}/library/alpine:3.15`, 'back/alpine-copy:3.15'];
  const login = ['--source-user', UPSTREAM_ACCOUNT.user, '--source-password-stdin'];
  const copied = await stage.breakwater(DEVELOPER, [...copy, ...login], { input: UPSTREAM_ACCOUNT.password });
  ended(copied, 0, 'one image is copied');
  holds(copied.stdout, digest, 'byte for byte');
  holds(copied.stderr, '100 %', 'and shows how far it is');
  await withWire(stage, async (wire) => {
    const index = await wire.send('GET', '/v2/back/alpine-copy/manifests/3.15', { accept: ACCEPT });
    same(index.status, 200, 'the index is here');
    const { manifests } = JSON.parse(index.body.toString()) as { manifests: readonly { digest: string }[] };
    same(manifests.length, PLATFORMS.length, 'with all its platforms');
    for (const { digest: child } of manifests) {
      const found = await wire.send('HEAD', `/v2/back/alpine-copy/manifests/${child}`, { accept: ACCEPT });
      same(found.status, 200, `${child} is here`);
    }
  });
}

/** Whoever applies the upstream's name is told where the copy is. */
async function nameTheCopy(stage: Stage, { host }: DistributionServer): Promise<void> {
  const cluster = await stage.cluster();
  const copy = `${stage.server().host}/hub/library/alpine:3.15`;
  const sentence = `a copy of "${host}/library/alpine:3.15" is served as "${copy}": use that address`;
  const input = pod('from-upstream', 'main', `${host}/library/alpine:3.15`);
  const asked = await eventually('the hint', async () => {
    const outcome = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], input);
    return outcome.stderr.includes('is served as') ? outcome : undefined;
  });
  await stage.show(
    'operator',
    'cat … | kubectl create --dry-run=server -f -',
    Promise.resolve({ ...asked, screen: asked.stderr + asked.stdout }),
  );
  holds(asked.stderr, 'has an invalid image repo', 'the source is not trusted');
  holds(asked.stderr, sentence, 'but a copy of it is here');
}

/** Bearer tokens instead of Basic: the other side is one of us. */
async function fromAnotherBreakwater(stage: Stage): Promise<void> {
  const other = await startBreakwater();
  stage.atEnd(() => other.stop());
  const made = await other.cli(['project', 'create', 'shop']);
  ended(made, 0, 'a second Breakwater has a project');
  const account = { user: 'admin', password: other.password };
  const environment = await loginFile(stage, account, other.host);
  const { path, digest } = layout(stage, 'shop', [alpineRoot('3.15.11')]);
  const pushed = await stage.type('partner', 'crane', ['--insecure', 'push', path, `${other.host}/shop/app:2`], {
    environment,
  });
  ended(pushed, 0, 'and an image');
  const settings = ['--upstream', other.url, '--upstream-user', 'admin', '--upstream-password-stdin'];
  const mirror = await stage.breakwater('admin', ['project', 'create', 'partner', ...settings, '--freshness', '0'], {
    input: other.password,
  });
  ended(mirror, 0, 'we mirror it');
  ended(
    await stage.breakwater('admin', ['project', 'member', 'add', 'partner', DEVELOPER.user]),
    0,
    'the developer may use it',
  );
  ended(await pull(stage, 'partner/shop/app:2'), 0, 'and pull through, with tokens of the other side');
  await withWire(stage, async (wire) => {
    const served = await wire.send('HEAD', '/v2/partner/shop/app/manifests/2', { accept: ACCEPT });
    same(served.headers['docker-content-digest'], digest, 'byte for byte');
  });
  await other.kill();
  ended(await pull(stage, 'partner/shop/app:2'), 0, 'it is served although the other side is away');
}

function pull(stage: Stage, image: string) {
  const creds = `--src-creds=${DEVELOPER.user}:${DEVELOPER.password}`;
  const to = `dir:${stage.folder}/pulled-${image.replaceAll(/[/:]/g, '-')}`;
  const from = `docker://${stage.server().host}/${image}`;
  const args = ['--insecure-policy', 'copy', '--src-tls-verify=false', creds, from, to];
  return stage.type(DEVELOPER.user, 'skopeo', args);
}

async function withWire(stage: Stage, use: (wire: Wire) => Promise<void>): Promise<void> {
  const wire = openWire({ url: stage.server().url, ...DEVELOPER });
  try {
    await use(wire);
  } finally {
    await wire.close();
  }
}
