import { join } from 'node:path';
import type { Account } from '../../support/breakwater.ts';
import { openWire } from '../../support/wire.ts';
import { ended, holds, leavesOut, matches, same } from '../check.ts';
import { DEVELOPER, PULLER, type Stage } from '../stage.ts';
import { say } from '../terminal.ts';

const ACCEPT = 'application/vnd.oci.image.manifest.v1+json';
const SENTENCE =
  /^current image with (\d+) vulnerabilities cannot be pulled due to configured policy in 'Prevent images with vulnerability severity of "High" or higher from running\.' To continue with pull, please contact your project administrator to exempt matched vulnerabilities through configuring the CVE allowlist\. Worst: CVE-\d+-\d+ in \S+ \S+ /;

/** One stored verdict, at the pull and at the push: refused in front, served from back, and no push is ever broken. */
export async function gatePulls(stage: Stage): Promise<void> {
  await refusedByTheWire(stage);
  const front = await pull(stage, 'front/alpine:3.20', PULLER);
  same(front.code === 0, false, 'front does not serve it');
  holds(front.stderr, 'current image with', 'and the client shows why');
  if (!leavesOut('podman')) await refusedToPodman(stage);

  ended(await pull(stage, 'back/alpine:3.20', PULLER), 0, 'back serves the same image');
  const verdict = await stage.breakwater(DEVELOPER, ['verdict', 'back/alpine:3.20'], { lines: 8 });
  ended(verdict, 0, 'a warning is no failure');
  matches(verdict.stdout, /^verdict +allowed with a warning: /m, 'and back only warns');
  await fixIsPushed(stage);
}

/** What clients show is their own affair; this is what is answered. */
async function refusedByTheWire(stage: Stage): Promise<void> {
  const path = '/v2/front/alpine/manifests/3.20';
  const { url } = stage.server();
  const puller = openWire({ url, ...PULLER });
  const pusher = openWire({ url, ...DEVELOPER });
  try {
    const get = await puller.send('GET', path, { accept: ACCEPT });
    say(`GET ${path} answers ${get.status}\n# ${get.body.toString()}`);
    same(get.status, 412, 'a pull is refused');
    const { errors } = JSON.parse(get.body.toString()) as { errors: readonly { code: string; message: string }[] };
    same(
      errors.map(({ code }) => code),
      ['PROJECTPOLICYVIOLATION'],
      'with the code Harbor uses',
    );
    matches(errors[0]?.message ?? '', SENTENCE, 'and its sentence, then the worst findings');
    holds(errors[0]?.message ?? '', 'breakwater exception request front/alpine:3.20', 'and the way out');
    const head = await puller.send('HEAD', path, { accept: ACCEPT });
    same(head.status, 412, 'HEAD is refused to who may only pull');
    const seen = await pusher.send('HEAD', path, { accept: ACCEPT, scope: 'repository:front/alpine:pull,push' });
    say(`HEAD ${path} answers ${seen.status} to ${DEVELOPER.user}, who may push`);
    same(seen.status, 200, 'HEAD is answered to who may push');
  } finally {
    await puller.close();
    await pusher.close();
  }
}

async function refusedToPodman(stage: Stage): Promise<void> {
  const podman = await stage.podman();
  const image = `${stage.server().host}/front/alpine:3.20`;
  const creds = `--creds=${PULLER.user}:${PULLER.password}`;
  const pulled = podman.podman(['pull', '--tls-verify=false', creds, image]);
  const refused = await stage.show(PULLER.user, `podman pull --tls-verify=false ${image}`, pulled);
  same(refused.code === 0, false, 'nor to podman');
  holds(refused.stderr, 'current image with', 'which shows why, too');
}

/** The blocked image stands under the same tag meanwhile: the push of the next one must not notice. */
async function fixIsPushed(stage: Stage): Promise<void> {
  const { host } = stage.server();
  const copy = ['--insecure-policy', 'copy', '--dest-tls-verify=false'];
  const pushed = await stage.type('alice', 'skopeo', [
    ...copy,
    `--dest-creds=${DEVELOPER.user}:${DEVELOPER.password}`,
    `docker-archive:${join(stage.folder, 'images/alpine-3.20.3.tar')}`,
    `docker://${host}/front/alpine:3.20`,
  ]);
  ended(pushed, 0, 'pushing over a blocked tag works');
}

function pull(stage: Stage, image: string, { user, password }: Account) {
  const from = `docker://${stage.server().host}/${image}`;
  const to = `dir:${join(stage.folder, image.replaceAll(/[/:]/g, '-'))}`;
  const creds = `--src-creds=${user}:${password}`;
  return stage.type(user, 'skopeo', ['--insecure-policy', 'copy', '--src-tls-verify=false', creds, from, to]);
}
