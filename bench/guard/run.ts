import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { applied } from '../../test/support/gatekeeper.ts';
import { findPeer } from '../../test/support/peers.ts';
import { run, until } from '../../test/support/program.ts';
import { alternate, type Row, type Sample } from '../figures.ts';
import { checkoutLine, machineLine } from '../machine.ts';
import { printRows, table } from '../print.ts';
import { review } from '../review.ts';
import { type Contender, startBareNode, startOurs, startTheirs } from './contenders.ts';
import { benchEngines } from './engine.ts';
import { type Goal, goalLines, lineOf } from './goals.ts';
import { constraints, entries, largeReview, TRUSTED_IMAGE, TRUSTED_REPO, UNTRUSTED_IMAGE } from './reviews.ts';
import { post } from './wrk.ts';

/** The guard beside the real Gatekeeper and the least a Node server does: TLS, the same reviews, in turns. `--quick` is a look. */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
  },
});
const FEWEST_ROUNDS = 3;
const rounds = values.quick ? 1 : Math.max(FEWEST_ROUNDS, Number(values.rounds));
const seconds = values.quick ? 1 : Number(values.seconds);
const SEEN_MS = 120_000;

interface Scenario {
  readonly name: string;
  readonly body: string;
  readonly connections: number;
  readonly goal: Goal;
}

const CPU = { cpuMs: 0.08 };
const SMALL: readonly Scenario[] = (['allowed', 'denied'] as const).flatMap((kind) => [
  { name: `1.5 KB ${kind}, c=1`, body: kind, connections: 1, goal: { ratio: 4, ...CPU } },
  { name: `1.5 KB ${kind}, c=8`, body: kind, connections: 8, goal: { ratio: 5, p99Ms: 3, ...CPU } },
  { name: `1.5 KB ${kind}, c=32`, body: kind, connections: 32, goal: { ratio: 5, p99Ms: 5, ...CPU } },
]);
const LARGE: readonly Scenario[] = [
  { name: '12 KB pod, 100 constraints, c=8', body: 'large', connections: 8, goal: { ratio: 10, peakMB: 160 } },
];
const MOST_TIME = 1.1;
const OURS = 'Breakwater';
const ENGINE_RATIO = 20;

const folder = await mkdtemp(join(tmpdir(), 'breakwater-bench-guard-'));
const contenders: Contender[] = [];
try {
  console.log(`${await checkoutLine()}\nMachine: ${machineLine()}`);
  console.log(
    `Client and server share it. ${rounds} rounds, ${seconds} s a point; figures: median (smallest-largest).`,
  );
  await bench();
} finally {
  for (const contender of contenders) await contender.stop();
  await rm(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  await writeFile(join(folder, 'allowed'), review(TRUSTED_IMAGE));
  await writeFile(join(folder, 'denied'), review(UNTRUSTED_IMAGE));
  await writeFile(join(folder, 'large'), largeReview(TRUSTED_IMAGE));
  const built = findPeer('gatekeeper') !== undefined;
  if (!built) console.log('Gatekeeper is not measured: it was not built (dev/peers/peers gatekeeper)');
  for (const start of [startOurs, ...(built ? [startTheirs] : []), startBareNode]) contenders.push(await start(folder));
  const guards = contenders.filter(({ cluster }) => cluster !== undefined);
  const goals: string[][] = [];
  const rows: Row[] = [];

  await setConstraints(guards, 1, [TRUSTED_REPO]);
  for (const scenario of SMALL) rows.push(await measured(contenders, scenario, goals));
  const [ten, thousand] = await benchEntries(guards);
  rows.push(ten, thousand);
  goals.push(...entryLines(ten, thousand));
  await setConstraints(guards, 100, [TRUSTED_REPO]);
  for (const scenario of LARGE) rows.push(await measured(guards, scenario, goals));
  printRows(rows);

  if (findPeer('gator') === undefined) console.log('gator was not built (dev/peers/peers gator)');
  const engines = await benchEngines(rounds, values.quick ? 500 : 20_000);
  console.log(`\nEngine alone, gator bench, one worker, reviews a second: ${JSON.stringify(engines)}`);
  const ratios = engines.ours.flatMap((ours, round) => {
    const theirs = engines.theirs[round];
    return theirs === undefined ? [] : [ours / theirs];
  });
  goals.push(lineOf('engine alone', 'as many as gator', ratios, 'x', ENGINE_RATIO, 'least'));
  console.log(`\nGoals:\n${table(goals)}`);
}

async function measured(who: readonly Contender[], scenario: Scenario, goals: string[][]): Promise<Row> {
  const row = { scenario: scenario.name, samples: await alternate(who, rounds, (one) => sample(one, scenario)) };
  goals.push(...goalLines(row, scenario.goal));
  return row;
}

function sample(
  { url, pid }: Contender,
  { body, connections }: Pick<Scenario, 'body' | 'connections'>,
): Promise<Sample> {
  return post({ url, pid, body: join(folder, body), connections, seconds, folder });
}

/** The last of 10 and of 1,000 entries is the trusted one. */
async function benchEntries(guards: readonly Contender[]): Promise<[Row, Row]> {
  const samples = { 10: new Map<string, Sample[]>(), 1000: new Map<string, Sample[]>() };
  for (let round = 0; round < rounds; round += 1)
    for (const count of round % 2 === 0 ? ([10, 1000] as const) : ([1000, 10] as const)) {
      await setConstraints(guards, 1, entries(count));
      for (const guard of guards) {
        // What a changed list costs once is no part of what each review costs.
        await sample(guard, { body: 'allowed', connections: 1 });
        const one = await sample(guard, { body: 'allowed', connections: 1 });
        const all = samples[count].get(guard.name) ?? [];
        samples[count].set(guard.name, [...all, one]);
      }
    }
  return [
    { scenario: '10 entries, c=1', samples: samples[10] },
    { scenario: '1,000 entries, c=1', samples: samples[1000] },
  ];
}

function entryLines(ten: Row, thousand: Row): string[][] {
  return [...ten.samples.keys()].map((name) => {
    const [few = [], many = []] = [ten.samples.get(name), thousand.samples.get(name)];
    const times = few.flatMap(({ perSecond }, round) => perSecond / (many[round]?.perSecond ?? Number.NaN));
    const line = lineOf('1,000 entries for 10', `time of ${name}`, times, 'x', MOST_TIME, 'most');
    // The goal is ours; theirs is there to compare.
    return name === OURS ? line : [...line.slice(0, 3), '', ''];
  });
}

/** Gives both guards exactly these constraints and waits until they judge by all of them. */
async function setConstraints(guards: readonly Contender[], count: number, repos: readonly string[]): Promise<void> {
  for (const { name, cluster, url } of guards) {
    if (!cluster) continue;
    const shown = await cluster.kubectl(['get', 'k8sallowedrepos.constraints.gatekeeper.sh', '-oname']);
    const wanted = constraints(count, repos);
    await applied(cluster, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: wanted }));
    const before = shown.stdout.split('\n').filter(Boolean);
    const surplus = before.filter((line) => Number(/-(\d+)$/.exec(line)?.[1]) >= count);
    if (surplus.length > 0) await cluster.kubectl(['delete', ...surplus]);
    const last = repos[0] ?? '';
    await until(async () => judges(await answerTo(url), count, last), {
      limitMs: SEEN_MS,
      describe: () => `${name} does not judge by ${count} constraints of ${repos.length} entries`,
      pauseMs: 300,
    });
  }
}

/** An untrusted image is denied once by each constraint, and each names the list it has now. */
function judges(answer: string, count: number, entry: string): boolean {
  const lines = answer.split(String.raw`\n`).filter((line) => line.includes('bench-'));
  const more = /and (\d+) more/.exec(answer)?.[1];
  return (
    lines.length + Number(more ?? 0) >= count &&
    lines.every((line) => line.includes(entry)) &&
    !surplusIn(answer, count)
  );
}

function surplusIn(answer: string, count: number): boolean {
  return [...answer.matchAll(/bench-(\d+)/g)].some(([, index]) => Number(index) >= count);
}

async function answerTo(url: string): Promise<string> {
  const body = `@${join(folder, 'denied')}`;
  const outcome = await run('curl', ['-sk', '-H', 'Content-Type: application/json', '--data-binary', body, url]);
  return outcome.stdout;
}
