import { setTimeout as pause } from 'node:timers/promises';
import { requirePeer } from '../../test/support/peers.ts';
import { alternate, median, plain, type Sample } from '../figures.ts';
import { versionOf } from '../machine.ts';
import type { Options } from '../options.ts';
import { printFigures } from '../print.ts';
import { comparison, type Measured, rowOf } from './comparison.ts';
import { type Contender, contenders, PROJECT, type Running } from './contenders.ts';
import { residentMB } from './memory.ts';
import { isPush, nameOf, SCENARIOS, type Scenario, STATES, type State, TAGS, WARMING } from './scenarios.ts';

/** A scenario of one contender ends then: one of them takes a hundred times as long as the others in a large repository. */
const LONGEST = '8s';
/** After a start: what is put off is done by then. */
const SETTLED_MS = 5000;

/** Push and pull figures beside CNCF Distribution, and zot when `ZOT` names its binary. */
export async function benchRegistries({ rounds, folder, load, scale }: Options): Promise<void> {
  const zot = process.env['ZOT'];
  const all = contenders(folder, zot);
  console.log(`\n# Registry: ${rounds} rounds, fresh folders in each; "tagged": ${TAGS} manifests in the repository`);
  console.log(`Distribution: ${await versionOf(requirePeer('registry'), ['--version'])}, without authentication`);
  console.log(zot ? `zot: ${zot}, with and without its fsync setting` : 'zot is not measured: ZOT does not name it');
  console.log(
    'Breakwater: fsync of every blob and row, Bearer tokens, every layer analysed, every image judged, gate at high',
  );
  const lines = STATES.flatMap((state) =>
    SCENARIOS.filter(({ states }) => states.includes(state)).map((scenario) => ({
      scenario,
      state,
      samples: new Map<string, Sample[]>(),
    })),
  );
  const idle = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    const running = await startAll(all);
    try {
      await pause(SETTLED_MS);
      for (const { name, pid } of running) idle.set(name, [...(idle.get(name) ?? []), await residentMB(pid)]);
      for (const one of running) {
        for (const warming of WARMING) await load.measure(flagsOf(one, warming, 'fresh', 1));
        await load.measure({
          ...flagsOf(one, { ...WARMING[0], scenario: 'populate' } as Scenario, 'tagged', 1),
          populated: false,
          longest: '0',
        });
      }
      for (const [at, { scenario, state, samples }] of lines.entries()) {
        const taking = running.filter(({ durable }) => durable || isPush(scenario));
        const order = (round + at) % 2 === 0 ? taking : taking.toReversed();
        process.stderr.write(`round ${round + 1} of ${rounds}: ${nameOf(scenario)}, ${state}\n`);
        const found = await alternate(order, 1, (one) => load.measure(flagsOf(one, scenario, state, scale)));
        for (const { name } of taking) samples.set(name, [...(samples.get(name) ?? []), ...(found.get(name) ?? [])]);
      }
    } finally {
      for (const one of running) await one.stop();
    }
  }
  print(lines, idle, all);
}

async function startAll(all: readonly Contender[]): Promise<readonly (Contender & Running)[]> {
  const running = [];
  for (const contender of all) running.push({ ...contender, ...(await contender.start()) });
  return running;
}

function flagsOf({ url, user = '', pid }: Running, scenario: Scenario, state: State, scale: number) {
  const { scenario: name, size, layer, c, n } = scenario;
  const content = layer === undefined ? { size } : { layer };
  const where =
    state === 'tagged'
      ? { repo: `${PROJECT}/year`, tags: TAGS, populated: true }
      : { repo: `${PROJECT}/${ownName(scenario)}` };
  return {
    url,
    user,
    pid,
    longest: LONGEST,
    ...where,
    scenario: name,
    ...content,
    c,
    n: Math.max(c, Math.round(n * scale)),
  };
}

/** What was pushed for another scenario must not make this one's repository a large one. */
function ownName(scenario: Scenario): string {
  return nameOf(scenario).toLowerCase().replaceAll(/\W+/g, '-');
}

function print(
  lines: readonly Measured[],
  idle: ReadonlyMap<string, readonly number[]>,
  all: readonly Contender[],
): void {
  printFigures(lines.map(rowOf));
  console.log(
    '\nBreakwater beside the best durable peer, per second; p99 and cpu beside the lowest of theirs (below 1x is better):',
  );
  console.log(comparison(lines, new Set(all.filter(({ durable }) => durable).map(({ name }) => name))));
  const words = [...idle].map(([name, found]) => `${name} ${plain(median(found))} MB`);
  console.log(`\nIdle, ${SETTLED_MS / 1000} s after the start: ${words.join(', ')}`);
}
