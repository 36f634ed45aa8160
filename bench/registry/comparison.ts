import { median, plain, type Row, ratioOf, ratiosOf, type Sample } from '../figures.ts';
import { table } from '../print.ts';
import { isPush, nameOf, type Scenario, type State } from './scenarios.ts';

/** All rounds of one scenario in one state, for each contender that was measured there; Breakwater first. */
export interface Measured {
  readonly scenario: Scenario;
  readonly state: State;
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

/** The scenario as a row of the table of figures. */
export function rowOf({ scenario, state, samples }: Measured): Row {
  return { scenario: `${nameOf(scenario)}, ${state}`, samples };
}

const HEADINGS = ['scenario', 'state', 'best peer', 'per second', 'goal', '', 'p99', 'cpu', 'no fsync'];

/**
 * Breakwater beside whoever of the durable peers is best in a figure: throughput with its goal, p99 and processor time (below 1x is
 * better), and pushes also beside a peer that does not sync. Ratios of the same round; median (smallest-largest).
 */
export function comparison(measured: readonly Measured[], durable: ReadonlySet<string>): string {
  return table([HEADINGS, ...measured.map((one) => line(one, durable))]);
}

function line({ scenario, state, samples }: Measured, durable: ReadonlySet<string>): string[] {
  const [ours, ...peers] = samples;
  if (ours === undefined) return [];
  const equals = peers.filter(([name]) => durable.has(name));
  const [, mine] = ours;
  const fastest = best(equals, rateOf, Math.max);
  const goal = scenario.goals[state];
  const careless = peers.find(([name]) => !durable.has(name));
  return [
    nameOf(scenario),
    state,
    fastest?.[0] ?? '-',
    ratio(mine, fastest?.[1], rateOf),
    goal === undefined ? '' : `${plain(goal)}x`,
    goal === undefined || fastest === undefined ? '' : judged(mine, fastest[1], goal),
    ratio(mine, best(equals, p99Of, Math.min)?.[1], p99Of),
    ratio(mine, best(equals, cpuOf, Math.min)?.[1], cpuOf),
    careless && isPush(scenario) ? ratio(mine, careless[1], rateOf) : '',
  ];
}

type Peer = readonly [name: string, samples: readonly Sample[]];
type Figure = (sample: Sample) => number;

function best(peers: readonly Peer[], figure: Figure, prefer: typeof Math.max): Peer | undefined {
  const middle = ([, samples]: Peer) => median(samples.map(figure));
  const wanted = prefer(...peers.map(middle));
  return peers.find((peer) => middle(peer) === wanted);
}

function ratio(ours: readonly Sample[], theirs: readonly Sample[] | undefined, figure: Figure): string {
  return ratioOf(ours.map(figure), (theirs ?? []).map(figure));
}

function judged(ours: readonly Sample[], theirs: readonly Sample[], goal: number): string {
  return median(ratiosOf(ours.map(rateOf), theirs.map(rateOf))) >= goal ? 'met' : 'missed';
}

function rateOf(sample: Sample): number {
  return sample.perSecond;
}

function p99Of(sample: Sample): number {
  return sample.p99Ms ?? Number.NaN;
}

function cpuOf(sample: Sample): number {
  return sample.cpuMs ?? Number.NaN;
}
