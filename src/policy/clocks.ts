import type { Finding } from '../model/finding.ts';
import type { Package } from '../model/inventory.ts';

/** When a vulnerability of a package was first seen in a repository or, wherever that was, in a manifest. */
export interface ClockReading {
  readonly vulnerability: string;
  /** As `clockPackage` gives it. */
  readonly package: string;
  /** Epoch ms. */
  readonly firstSeen: number;
}

/** Running clocks: epoch ms by `clockKey`. */
export type Clocks = ReadonlyMap<string, number>;

/** The package a clock runs for: type and name. Another version that is still vulnerable does not start a new clock. */
export function clockPackage(pkg: Pick<Package, 'type' | 'name'>): string {
  return `${pkg.type}/${pkg.name}`;
}

/** What a clock runs for, as a key of maps. */
export function clockKey(vulnerability: string, clockedPackage: string): string {
  return `${vulnerability} ${clockedPackage}`;
}

const keys = new WeakMap<Finding, readonly [string, ...string[]]>();

/** Keys of the clocks that may run for a finding: its own, and those of the other ids it may have been seen under. */
export function clockKeysOf(finding: Finding): readonly [string, ...string[]] {
  const known = keys.get(finding);
  if (known) return known;
  const name = clockPackage(finding.package);
  const made = [clockKey(finding.id, name), ...finding.aliases.map((id) => clockKey(id, name))] as const;
  keys.set(finding, made);
  return made;
}

/** When a finding was first seen by these clocks, under whichever of its ids. */
export function firstSeenBy(clocks: Clocks, keysOfFinding: readonly string[]): number | undefined {
  let first: number | undefined;
  for (const key of keysOfFinding) {
    const moment = clocks.get(key);
    if (moment !== undefined && (first === undefined || moment < first)) first = moment;
  }
  return first;
}

/** Readings as running clocks; of several for one thing the earliest counts. */
export function earliestReadings(readings: readonly ClockReading[]): Clocks {
  const clocks = new Map<string, number>();
  for (const { vulnerability, package: name, firstSeen } of readings) {
    const key = clockKey(vulnerability, name);
    clocks.set(key, Math.min(firstSeen, clocks.get(key) ?? firstSeen));
  }
  return clocks;
}
