import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { DatabaseHandle } from '../src/db/database.ts';
import type { Engine } from '../src/db/engine.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { canonicalHash } from '../src/oci/canonical.ts';
import { systemClock } from '../src/platform/clock.ts';
import { silentLogger } from '../src/platform/logger.ts';
import { defaultPolicy } from '../src/policy/policy.ts';
import { buildAdvisoryDatabase } from '../src/scanner/advisories/build.ts';
import { openAdvisoryDatabase } from '../src/scanner/advisories/database.ts';
import { changedKeys } from '../src/scanner/advisories/index.ts';
import type { AdvisoryDatabase } from '../src/scanner/advisories/types.ts';
import { createVerdicts } from '../src/verdicts/verdicts.ts';
import { dataPath, hasData } from '../test/support/data.ts';
import { checkoutLine, machineLine } from './machine.ts';
import { NOTHING_ANALYSED } from './nothing-analysed.ts';
import { openEngine } from './open-engine.ts';
import { REPOSITORIES, storeImages } from './stored-images.ts';

const ENGINES: readonly Engine[] = ['sqlite', 'postgres'];
const OTHERS = 50;
const GOAL_SECONDS = 10;
const COMMON = (
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
  const out = values.db ?? join(folder, 'advisories.sqlite');
  if (values.db === undefined) await buildAdvisoryDatabase({ from: dataPath('.'), out, clock: systemClock });
  const database = openAdvisoryDatabase(out);
  console.log(
    `${count} stored inventories, one image of each in ${REPOSITORIES} repositories; goal: less than ${GOAL_SECONDS} s`,
  );
  for (const engine of ENGINES.filter((name) => values.engine === undefined || name === values.engine))
    await measure(engine, database);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(engine: Engine, first: AdvisoryDatabase): Promise<void> {
  const opened = await openEngine(engine, folder);
  const { handle } = opened;
  try {
    const packages = await storeImages(handle, count);
    let current = first;
    const verdicts = createVerdicts({
      state: handle.state,
      db: handle.db,
      ...NOTHING_ANALYSED,
      clock: systemClock,
      logger: silentLogger,
      advisories: { current: () => current },
      policies: { effectivePolicy: () => Promise.resolve({ policy: defaultPolicy, version: 1 }) },
      exceptions: { granted: () => Promise.resolve([]) },
      vex: { mark: (_place, findings) => Promise.resolve(findings) },
      quarantines: {
        revision: () => Promise.resolve(''),
        concernsPackages: () => Promise.resolve(false),
        hitsOf: () => Promise.resolve(new Map()),
      },
      jobs: { enqueue: () => Promise.resolve() },
      ledger: { record: () => Promise.resolve() },
      hosts: [],
      budgetMs: 1000,
    });
    console.log(`\n# ${engine}: ${packages} packages in all`);
    await time('everything, first time', () => verdicts.onAdvisoriesChanged('all'));
    await time('everything, clocks running', () => verdicts.onAdvisoriesChanged('all'));
    const next = updated(first);
    const keys = changedKeys(first, next);
    current = next;
    await time(`an update of ${keys.keys.length} packages`, () =>
      verdicts.onAdvisoriesChanged({ previous: first.version, next: next.version, ...keys }),
    );
    const rare = updated(next, ['tzdata']);
    const few = changedKeys(next, rare);
    current = rare;
    await time(`an update of ${few.keys.length} packages (tzdata)`, () =>
      verdicts.onAdvisoriesChanged({ previous: next.version, next: rare.version, ...few }),
    );
    const { reasons, findings } = await averages(handle);
    console.log(`on average ${findings.toFixed(1)} findings and ${reasons.toFixed(1)} reasons in a verdict`);
    await verdicts.close();
  } finally {
    await opened.stop();
  }
}

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
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(watch);
  turns.disable();
  const megabytes = Math.round(Math.max(peak, process.memoryUsage.rss()) / 1e6);
  console.log(
    `${what}: ${judged} judged, ${changed} changed in ${seconds.toFixed(2)} s (cpu ${((user + system) / 1e6).toFixed(2)} s), ${megabytes} MB resident; ` +
      `others waited ${(turns.percentile(99) / 1e6).toFixed(0)} ms (p99), at most ${(turns.max / 1e6).toFixed(0)} ms`,
  );
}

/** The next database: a new vulnerability in openssl and in other packages that many images hold, under every release. */
function updated(before: AdvisoryDatabase, only?: readonly string[]): AdvisoryDatabase {
  const names = new Set(only ?? ['openssl', ...COMMON.slice(0, OTHERS)]);
  const version = canonicalHash([before.version, [...names]]);
  const isChanged = (ecosystem: string, name: string): boolean => names.has(name) && ecosystem.includes(':');
  return {
    ...before,
    version,
    *keys() {
      for (const key of before.keys()) yield isChanged(key.ecosystem, key.name) ? { ...key, hash: version } : key;
    },
    advisoriesFor(ecosystem, name) {
      const known = before.advisoriesFor(ecosystem, name);
      if (known.length === 0 || !isChanged(ecosystem, name)) return known;
      const id = `CVE-2099-${version.slice(7, 12).replace(/\D/g, '1').padStart(5, '1')}`;
      const statement = { advisory: id, ids: [id], feed: 'bench', ranges: [{}], versions: [] };
      return [...known, { ...statement, severities: [{ source: 'nvd', severity: 'critical' }] }];
    },
  };
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
