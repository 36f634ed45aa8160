import { dataPath, hasData } from '../../test/support/data.ts';

/** What one line of the table measures. */
export interface Scenario {
  readonly scenario: string;
  /** Of the layer. */
  readonly size: string;
  readonly c: number;
  readonly n: number;
  /** A gzipped layer to push instead of noise of that size. */
  readonly layer?: string;
  readonly states: readonly State[];
  /** How many times the throughput of the best peer is wanted. */
  readonly goals: Readonly<Partial<Record<State, number>>>;
}

/** `fresh`: a repository of its own for each scenario. `tagged`: one with the 1,000 tagged manifests that a year of builds leaves. */
export type State = 'fresh' | 'tagged';

export const STATES: readonly State[] = ['fresh', 'tagged'];
export const TAGS = 1000;

/** Small answers: what is measured is the way to them. */
const SMALL = '64KB';

export const SCENARIOS: readonly Scenario[] = [
  push('push', '1MB', 200, 2),
  push('push', '10MB', 60, 1.4),
  push('push', '100MB', 10, 1.2),
  push('push-chunked', '1MB', 200, 2),
  push('push-chunked', '10MB', 60, 1.4),
  push('push-chunked', '100MB', 10, 1.2),
  ...real('Alpine 3.20.3', 'alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz', 60),
  ...real('Debian 12 minbase', 'debian/debian-12-minbase.tar.gz', 12),
  read('manifest-tag', SMALL, 1, 5000, 1.2, 2),
  read('manifest-digest', SMALL, 1, 5000, 1.2, 2),
  read('manifest-tag', SMALL, 10, 15000, 1.3, 2.5),
  read('manifest-tag', SMALL, 100, 15000, 1.3, 2.5),
  read('head-blob', SMALL, 10, 15000, 1.2, 2),
  read('pull', '1MB', 2, 1000, 0.9, 2.5),
  read('pull', '10MB', 2, 250, 1.1, 1.5),
  read('pull', '100MB', 2, 40, 1.2, 1.3),
  read('mixed', '1MB', 2, 400, 1, 1.5),
  page('tags'),
  page('catalog'),
];

/** Before the first figure of a round: programs just started are slower than they are for the rest of their lives. */
export const WARMING: readonly Scenario[] = [
  read('mixed', SMALL, 2, 100, 0, 0),
  read('manifest-tag', SMALL, 10, 1000, 0, 0),
];

export function isPush({ scenario }: Scenario): boolean {
  return scenario.startsWith('push');
}

export function nameOf({ scenario, size, c }: Scenario): string {
  return `${scenario}${size === SMALL ? '' : ` ${size}`}, c=${c}`;
}

function push(scenario: string, size: string, n: number, goal: number): Scenario {
  return { scenario, size, c: 2, n, states: STATES, goals: { fresh: goal, tagged: goal } };
}

function read(scenario: string, size: string, c: number, n: number, fresh: number, tagged: number): Scenario {
  return { scenario, size, c, n, states: STATES, goals: { fresh, tagged } };
}

function page(scenario: string): Scenario {
  return { scenario, size: SMALL, c: 10, n: 3000, states: ['tagged'], goals: { tagged: 5 } };
}

/** A real base image, as it is pulled: compressed, with thousands of files. Needs the folder of test data. */
function real(size: string, path: string, n: number): Scenario[] {
  if (!hasData) return [];
  return [{ scenario: 'push', size, layer: dataPath('images', path), c: 2, n, states: ['fresh'], goals: {} }];
}
