import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JudgedImage } from '../../../src/api/contract/verdicts.ts';
import type { ScanReport } from '../../../src/cli/scan/report.ts';
import { dataPath } from '../../support/data.ts';
import { writeDockerArchive } from '../../support/docker-archive.ts';
import { startDockerDaemon } from '../../support/docker-daemon.ts';
import { isLeftOut, requirePeer } from '../../support/peers.ts';
import { openPodman } from '../../support/podman.ts';
import { ALPINE, ALPINE_ARCHIVE } from '../images.ts';
import { DEVELOPER, type Journey, type Step } from '../journey.ts';

/** Every client pushes the same real image in its own way. */
export const step: Step = {
  title: 'A real image is pushed with skopeo, podman and docker, and analysed on the way',
  async run(journey) {
    const { terminal, server } = journey;
    const archive = join(journey.folder, ALPINE_ARCHIVE);
    writeDockerArchive(dataPath('images/alpine', ALPINE), archive);

    terminal.say('Before it is pushed anywhere: what is in it? (no server is asked)');
    const scanned = await journey.json<ScanReport>(['scan', ALPINE_ARCHIVE]);
    const listed = scanned.packages.map(({ name, version }) => `${name} ${version}`).sort();
    assert.deepEqual(listed, expectedPackages(), 'the package list equals the independent one');

    terminal.say('The developer pushes it with skopeo.');
    const skopeo = requirePeer('skopeo');
    await terminal.run(
      `skopeo copy --dest-tls-verify=false docker-archive:${ALPINE_ARCHIVE} docker://${server.host}/front/alpine:3.20`,
      skopeo,
      [
        '--insecure-policy',
        'copy',
        '--dest-tls-verify=false',
        `--dest-creds=${DEVELOPER.user}:${DEVELOPER.password}`,
        `docker-archive:${archive}`,
        `docker://${server.host}/front/alpine:3.20`,
      ],
    );
    await isAnalysed(journey, 'front/alpine:3.20', 'block');

    if (isLeftOut('podman')) terminal.leaveOut('podman');
    else await pushWithPodman(journey, archive);
    if (isLeftOut('docker')) terminal.leaveOut('docker');
    else await pushWithDocker(journey, archive);
  },
};

async function pushWithPodman(journey: Journey, archive: string): Promise<void> {
  const { terminal, server } = journey;
  terminal.say('… with podman …');
  const { podman, remove } = await openPodman();
  try {
    const image = `${server.host}/back/alpine:3.20`;
    await terminal.show(`podman load -i ${ALPINE_ARCHIVE}`, podman(['load', '-i', archive]));
    await terminal.show(`podman tag test:latest ${image}`, podman(['tag', 'docker.io/library/test:latest', image]));
    const login = `--creds=${DEVELOPER.user}:${DEVELOPER.password}`;
    await terminal.show(
      `podman push --tls-verify=false ${image}`,
      podman(['push', '--tls-verify=false', login, image]),
    );
  } finally {
    await remove();
  }
  await isAnalysed(journey, 'back/alpine:3.20');
}

async function pushWithDocker(journey: Journey, archive: string): Promise<void> {
  const { terminal, server } = journey;
  terminal.say('… and with docker.');
  const daemon = await startDockerDaemon(server.host);
  try {
    const { docker } = daemon;
    const image = `${server.host}/back/alpine-docker:3.20`;
    await terminal.show(
      `docker login -u ${DEVELOPER.user} --password-stdin ${server.host}`,
      docker(['login', '-u', DEVELOPER.user, '--password-stdin', server.host], { input: DEVELOPER.password }),
    );
    await terminal.show(`docker load -i ${ALPINE_ARCHIVE}`, docker(['load', '-i', archive]));
    await terminal.show(`docker tag test:latest ${image}`, docker(['tag', 'test:latest', image]));
    await terminal.show(`docker push ${image}`, docker(['push', image]));
  } finally {
    await daemon.stop();
  }
  await isAnalysed(journey, 'back/alpine-docker:3.20');
}

/** Judged right after the push, by packages of the distribution it is. */
async function isAnalysed(journey: Journey, image: string, kind?: string): Promise<void> {
  const exit = kind === 'block' ? 1 : 0;
  const judged = await journey.json<JudgedImage>(['verdict', image], { account: DEVELOPER, exit, quiet: 6 });
  assert.equal(judged.kind, kind ?? judged.kind);
  assert.equal(judged.coverage?.distribution.recognised, true);
  assert.match(judged.coverage.distribution.name ?? '', /Alpine.*3\.20/);
}

function expectedPackages(): string[] {
  const [, ...rows] = readFileSync(dataPath('images/expected/alpine', `${ALPINE}.tsv`), 'utf8')
    .trim()
    .split('\n');
  return rows.map((row) => row.split('\t').slice(0, 2).join(' ')).sort();
}
