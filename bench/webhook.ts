import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BreakwaterServer, startBreakwater } from '../test/support/breakwater.ts';
import { dataPath, hasData } from '../test/support/data.ts';
import { writeOciLayout } from '../test/support/oci-layout.ts';
import { findPeer, requirePeer } from '../test/support/peers.ts';
import { type Outcome, run } from '../test/support/program.ts';
import { alternate, type Row } from './figures.ts';
import { startGatekeeper } from './gatekeeper.ts';
import type { Options } from './options.ts';
import { printRows } from './print.ts';
import { review } from './review.ts';

const TRUSTED = 'quay.io/prometheus';
const CONCURRENCY = [1, 8, 32];
const REVIEWS = 20_000;
const YEAR_MS = 365 * 24 * 3600 * 1000;

/** Admission over TLS beside the real Gatekeeper, one constraint that warns, the same reviews. */
export async function benchWebhooks({ rounds, folder, load, scale }: Options): Promise<void> {
  const server = await startBreakwater({
    environment: { BREAKWATER_LOG_LEVEL: 'error', BREAKWATER_FOUR_EYES: 'false' },
  });
  try {
    await trust(server, TRUSTED);
    await trust(server, server.host);
    const own = await pushedImage(server, folder);
    const reviews = [
      { what: 'trusted', image: `${TRUSTED}/prometheus:v3.5.0` },
      ...(own === undefined ? [] : [{ what: 'trusted, with a verdict of ours', image: own }]),
      { what: 'untrusted, warned about', image: 'docker.io/library/nginx:1.27' },
    ];
    for (const [at, { image }] of reviews.entries()) await writeFile(join(folder, `review-${at}.json`), review(image));
    await writeFile(join(folder, 'untrusted.json'), review('docker.io/library/nginx:1.27'));

    console.log(`\n# Webhook: ${rounds} rounds, TLS, connections kept open, 1.5 KB reviews, one constraint that warns`);
    const peer =
      findPeer('gatekeeper') === undefined ? undefined : await startGatekeeper(folder, [TRUSTED, server.host]);
    console.log(
      peer
        ? 'Gatekeeper: v3.23.1 with its own K8sAllowedRepos template (raw text prefixes; it knows no verdicts)'
        : 'Gatekeeper is not measured: it was not built (dev/peers/peers gatekeeper); below is its engine alone',
    );
    try {
      const contenders = [
        { name: 'Breakwater', url: `${server.webhookUrl}/v1/admit`, pid: server.pid },
        ...(peer ? [{ name: 'Gatekeeper', url: peer.webhookUrl, pid: peer.pid }] : []),
      ];
      const rows: Row[] = [];
      for (const [at, { what }] of reviews.entries())
        for (const c of CONCURRENCY) {
          const flags = { scenario: 'admit', review: join(folder, `review-${at}.json`), c };
          const n = Math.max(c, Math.round(REVIEWS * scale * (c === 1 ? 0.25 : 1)));
          const samples = await alternate(contenders, rounds, async ({ url, pid }, round) => {
            // Both warm up before their first figure.
            if (round === 0) await load.measure({ ...flags, url, pid, n: Math.ceil(n / 4) });
            return load.measure({ ...flags, url, pid, n });
          });
          rows.push({ scenario: `${what}, c=${c}`, samples });
        }
      printRows(rows);
    } finally {
      await peer?.stop();
    }
  } finally {
    await server.stop();
  }
  if (findPeer('gatekeeper') === undefined) await benchEngine(folder);
}

/** What the peer's engine does without HTTP and TLS, by its own benchmark; more than any webhook around it can do. */
async function benchEngine(folder: string): Promise<void> {
  const files = join(import.meta.dirname, 'gator');
  const outcome = await run(requirePeer('gator'), [
    'bench',
    `--filename=${files}`,
    '--engine=rego',
    '--iterations=20000',
  ]);
  if (outcome.code !== 0) throw new Error(`gator bench in ${folder}:\n${outcome.screen}`);
  console.log(outcome.stdout);
}

async function trust(server: BreakwaterServer, entry: string): Promise<void> {
  const reviewDue = new Date(Date.now() + YEAR_MS).toISOString().slice(0, 10);
  const analysis = ['--criteria', 'benchmark', '--findings', 'none', '--owner', 'bench', '--review-due', reviewDue];
  const { id } = JSON.parse(done(await server.cli(['trust', 'add', entry, ...analysis, '-o', 'json'])).stdout) as {
    id: string;
  };
  done(await server.cli(['trust', 'approve', id, '--reason', 'benchmark']));
}

/** An image of ours with a verdict, so that the webhook has one to look up; undefined without the test data. */
async function pushedImage(server: BreakwaterServer, folder: string): Promise<string | undefined> {
  if (!hasData) return undefined;
  done(await server.cli(['project', 'create', 'bench']));
  const layout = join(folder, 'layout');
  writeOciLayout(layout, {
    layers: [dataPath('images', 'alpine', 'alpine-minirootfs-3.20.3-x86_64.tar.gz')],
    name: 'alpine',
  });
  const image = `${server.host}/bench/alpine:3.20`;
  const auth = Buffer.from(`admin:${server.password}`).toString('base64');
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [server.host]: { auth } } }));
  const environment = { DOCKER_CONFIG: folder };
  done(await run(requirePeer('crane'), ['--insecure', 'push', layout, image], { environment }));
  return image;
}

function done(outcome: Outcome): Outcome {
  if (outcome.code !== 0) throw new Error(outcome.screen);
  return outcome;
}
