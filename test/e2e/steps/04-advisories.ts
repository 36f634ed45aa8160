import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JudgedImage } from '../../../src/api/contract/verdicts.ts';
import type { BuildReport } from '../../../src/scanner/advisories/build.ts';
import { dataPath } from '../../support/data.ts';
import { api } from '../api.ts';
import { ended, eventually, holds, matches, same, yes } from '../check.ts';
import { ROOT, type Stage } from '../stage.ts';
import { say } from '../terminal.ts';

const IMAGE = 'front/alpine:3.20';
/** Independent tools find as many in Alpine 3.20.3 with the same records. */
const VULNERABILITIES = 25;
/** What says of the feeds in the test data which are complete. */
const STATEMENT = join(ROOT, 'advisories/feeds.json');
const BUILD_MS = 900_000;

interface SecDb {
  readonly packages: readonly { readonly pkg: { readonly name: string } }[];
}

/** A new advisory database reaches what is stored without a restart, and without reading a layer again. */
export async function takeAdvisories(stage: Stage): Promise<void> {
  const { pid } = stage.server();
  const brought = await stage.breakwater('admin', ['db', 'status'], { lines: 12 });
  ended(brought, 0, 'the first start brought a database along');
  matches(brought.stdout, /^Alpine:v3\.20 +alpine-secdb +complete /m, 'Alpine is complete in it');
  matches(brought.stdout, /^npm +osv:npm +sample /m, 'npm is a sample in it');

  say('as if it were earlier: a database that does not know yet what is wrong with the packages in the image');
  writeEarlierFeeds(join(stage.folder, 'earlier'));
  const earlier = await build(stage, join(stage.folder, 'earlier'), 'earlier.sqlite');
  await take(stage, 'earlier.sqlite', earlier);
  const before = await judged(stage, earlier);
  same(
    [before.kind, before.findings.length],
    ['warn', 0],
    `${IMAGE} has nothing against it but that its release gets no more fixes`,
  );

  say('the feeds of today arrive');
  const today = await build(stage, dataPath(), 'today.sqlite.zst', ['--completeness', STATEMENT]);
  yes(today.vulnerabilities > 1000 && today.records > 10_000, 'all feeds were read');
  await take(stage, 'today.sqlite.zst', today);
  const after = await judged(stage, today);
  same(after.kind, 'block', `${IMAGE} is blocked by it`);
  same(new Set(after.findings.map(({ id }) => id)).size, VULNERABILITIES, 'all that is known about it was found');
  const sources = after.coverage?.sources.filter(({ ecosystem }) => ecosystem === 'Alpine:v3.20') ?? [];
  same(
    sources.map(({ feed, completeness }) => `${feed}: ${completeness}`).toSorted(),
    ['alpine-secdb: complete', 'osv:Alpine: sample'],
    'the verdict says what it rests on',
  );
  const blocking = after.verdict.reasons.filter(({ kind }) => kind === 'block');
  yes(
    blocking.length > 0 && blocking.every(({ severitySource, severities }) => severitySource && severities?.length),
    'every line that blocks names the source of its severity, and what the others say',
  );

  const shown = await stage.breakwater('admin', ['verdict', IMAGE], { lines: 60 });
  ended(shown, 1, 'the command line says no with its exit code');
  matches(
    shown.stdout,
    /^verdict +blocked: CVE-\d+-\d+ in \S+ \S+ \(fixed in \S+\): (?:critical|high)/m,
    'the worst first',
  );
  await sampleIsSaid(stage);
  await historyTells(stage);
  same(stage.server().pid, pid, 'the server was not restarted');
}

/** The real records of the distribution, without those about the packages in which something is known to be wrong. */
function writeEarlierFeeds(folder: string): void {
  const secdb = JSON.parse(readFileSync(dataPath('secdb/v3.20/main.json'), 'utf8')) as SecDb;
  const unknown = ['openssl', 'busybox', 'musl'];
  const packages = secdb.packages.filter(({ pkg }) => !unknown.includes(pkg.name));
  same(secdb.packages.length - packages.length, unknown.length, 'the records of these packages are left out');
  mkdirSync(join(folder, 'secdb/v3.20'), { recursive: true });
  writeFileSync(join(folder, 'secdb/v3.20/main.json'), JSON.stringify({ ...secdb, packages }));
}

async function build(stage: Stage, from: string, file: string, more: readonly string[] = []): Promise<BuildReport> {
  const args = ['db', 'build', '--from', from, ...more, '--out', join(stage.folder, file), '-o', 'json'];
  const built = await stage.breakwater('admin', args, { lines: 10, timeout: BUILD_MS });
  ended(built, 0, `${file} is built`);
  return JSON.parse(built.stdout) as BuildReport;
}

async function take(stage: Stage, file: string, { version }: BuildReport): Promise<void> {
  const taken = await stage.breakwater('admin', ['db', 'import', join(stage.folder, file)]);
  ended(taken, 0, `${file} is handed to the running server`);
  holds(taken.stdout, version, 'which uses it from now on');
}

/** The verdict, as soon as it rests on this database and nothing is judged again any more. */
async function judged(stage: Stage, { version }: BuildReport): Promise<JudgedImage> {
  const verdict = await eventually(`${IMAGE} to be judged by ${version}`, async () => {
    const { value } = await api(stage, 'GET', `/verdicts?image=${encodeURIComponent(IMAGE)}`);
    const found = value as JudgedImage;
    return found.verdict.inputs.advisories === version && isJudgedAgain(stage, version) ? found : undefined;
  });
  const summary = await stage.breakwater('admin', ['verdict', IMAGE, '-o', 'json'], { lines: 8 });
  same((JSON.parse(summary.stdout) as JudgedImage).verdict, verdict.verdict, 'command line and API print one value');
  return verdict;
}

function isJudgedAgain(stage: Stage, version: string): boolean {
  const lines = stage.server().output().split('\n');
  return lines.some((line) => line.includes(version) && line.includes('judged again after new advisories'));
}

/** npm is a sample: a verdict that rests on it says so, and what to do. */
async function sampleIsSaid(stage: Stage): Promise<void> {
  const npm = await stage.breakwater('admin', ['verdict', 'back/whiteout:1'], { lines: 40 });
  ended(npm, 0, 'back only warns');
  matches(npm.stdout, /sample/, 'a verdict by sample advisories says so');
  matches(npm.stdout, /breakwater db (build|import)/, 'and what to run');
}

async function historyTells(stage: Stage): Promise<void> {
  const { status, value } = await api(stage, 'GET', `/verdicts/history?image=${encodeURIComponent(IMAGE)}`);
  same(status, 200, 'the history of the verdict can be read');
  const { items } = value as { items: readonly { kind: string; previous?: string; cause: string; at: string }[] };
  for (const { at, previous, kind, cause } of items) say(`${at} ${previous ?? 'new'} -> ${kind}, because of ${cause}`);
  same(
    items.map(({ kind, cause }) => `${kind} by ${cause}`),
    ['block by advisories', 'warn by advisories', 'block by push'],
    'and tells every change with its cause',
  );
}
