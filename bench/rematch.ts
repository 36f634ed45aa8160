import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { DatabaseHandle } from '../src/db/database.ts';
import type { Engine } from '../src/db/engine.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { systemClock } from '../src/platform/clock.ts';
import { buildAdvisoryDatabase } from '../src/scanner/advisories/build.ts';
import { dataPath, hasData } from '../test/support/data.ts';
import { openWorld } from './decisions/world.ts';
import { checkoutLine, machineLine } from './machine.ts';
import { laterAdvisories } from './rematch-update.ts';
import { REPOSITORIES } from './stored-images.ts';

const ENGINES: readonly Engine[] = ['sqlite', 'postgres'];
const GOAL_SECONDS = 10;
/** Of packages that many images hold. */
const POPULAR = (
  'openssl ' +
  'busybox musl zlib expat libxml2 curl apk-tools glibc perl systemd bash coreutils tar gzip util-linux shadow pam gnutls28 ' +
  'libgcrypt20 sqlite3 ncurses krb5 openldap lz4 xz-utils zstd bzip2 libtasn1-6 nettle p11-kit pcre2 libidn2 libssh2 nghttp2 ' +
  'python3.11 openssh git vim wget dpkg apt e2fsprogs libcap2 elfutils cyrus-sasl2 db5.3 gmp libffi linux sudo mariadb'
).split(' ');

const { values } = parseArgs({
  options: { inventories: { type: 'string', default: '10000' }, engine: { type: 'string' }, db: { type: 'string' } },
});
const count = Number(values.inventories);
if (!Number.isSafeInteger(count) || count < 1)
  throw new Error(
    `--inventories ${values.inventories} is no number of inventories: give a whole number above 0, such as 10000`,
  );
if (values.engine !== undefined && !ENGINES.some((name) => name === values.engine))
  throw new Error(`--engine ${values.engine} is unknown: give ${ENGINES.join(' or ')}`);
if (!hasData) throw new Error('real package lists are needed: set BREAKWATER_TEST_DATA to the folder of the test data');
const folder = await mkdtemp(join(tmpdir(), 'breakwater-rematch-'));
try {
  console.log(`${await checkoutLine()}\nMachine: ${machineLine()}`);
  const first = values.db ?? join(folder, 'advisories.sqlite');
  if (values.db === undefined) await buildAdvisoryDatabase({ from: dataPath('.'), out: first, clock: systemClock });
  const popular = await laterAdvisories(folder, first, [POPULAR]);
  const rare = await laterAdvisories(folder, first, [POPULAR, ['tzdata']]);
  console.log(
    `${count} stored inventories, one image of each in ${REPOSITORIES} repositories; goal: less than ${GOAL_SECONDS} s`,
  );
  for (const engine of ENGINES.filter((name) => values.engine === undefined || name === values.engine))
    await measure(engine, first, { 'what most images hold': popular, tzdata: rare });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(engine: Engine, advisories: string, updates: Updates): Promise<void> {
  const started = performance.now();
  const world = await openWorld(engine, await mkdtemp(join(folder, `${engine}-`)), advisories, {
    images: count,
    pods: 0,
  });
  try {
    console.log(`\n# ${engine}; stored and judged for the first time in ${seconds(started)} s`);
    await time('everything, clocks running', () => world.verdicts.onAdvisoriesChanged('all'));
    for (const [what, path] of Object.entries(updates)) {
      const change = world.useAdvisories(path);
      await time(`an update of ${change.keys.length} packages (${what})`, () =>
        world.verdicts.onAdvisoriesChanged(change),
      );
    }
    const { reasons, findings } = await averages(world.handle);
    console.log(`on average ${findings.toFixed(1)} findings and ${reasons.toFixed(1)} reasons in a verdict`);
  } finally {
    await world.close();
  }
}

type Updates = Readonly<Record<string, string>>;

async function time(
  what: string,
  run: () => Promise<{ readonly judged: number; readonly changed: number }>,
): Promise<void> {
  globalThis.gc?.();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const turns = monitorEventLoopDelay({ resolution: 1 });
  turns.enable();
  const started = performance.now();
  const cpu = process.cpuUsage();
  const { judged, changed } = await run();
  const took = seconds(started);
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(watch);
  turns.disable();
  const megabytes = Math.round(Math.max(peak, process.memoryUsage.rss()) / 1e6);
  console.log(
    `${what}: ${judged} judged, ${changed} changed in ${took} s (cpu here ${((user + system) / 1e6).toFixed(2)} s), ${megabytes} MB resident; ` +
      `others waited ${(turns.percentile(99) / 1e6).toFixed(0)} ms (p99), at most ${(turns.max / 1e6).toFixed(0)} ms`,
  );
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(2);
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

async function averages({ db }: DatabaseHandle): Promise<{ readonly reasons: number; readonly findings: number }> {
  const rows = await db.selectFrom('verdicts').select('document').limit(1000).execute();
  const verdicts = rows.map(({ document }) => JSON.parse(document) as Verdict);
  return {
    reasons: mean(verdicts.map(({ reasons }) => reasons.length)),
    findings: mean(verdicts.map(({ counts }) => counts.total)),
  };
}
