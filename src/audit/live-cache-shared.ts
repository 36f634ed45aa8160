import type { WorkloadImage } from '../constraints/workload.ts';
import type { HeldOwner, HeldWorkload, Labels, ReportedContainer } from './held-workload.ts';
import { SharedValues } from './shared-values.ts';

/** What the workloads of a cluster share. */
export interface SharedParts {
  readonly namespaces: SharedValues<string>;
  readonly labels: SharedValues<Labels>;
  readonly owners: SharedValues<HeldOwner>;
  readonly images: SharedValues<readonly WorkloadImage[]>;
  readonly image: SharedValues<WorkloadImage>;
  readonly reported: SharedValues<readonly ReportedContainer[]>;
}

export function createSharedParts(): SharedParts {
  return {
    namespaces: new SharedValues(),
    labels: new SharedValues(),
    owners: new SharedValues(),
    images: new SharedValues(),
    image: new SharedValues(),
    reported: new SharedValues(),
  };
}

/** Forgets the parts that none of the workloads uses any more, once enough came and went. */
export function sweepSharedParts(parts: SharedParts, workloads: Iterable<HeldWorkload>): void {
  const all = Object.values(parts) as SharedValues<unknown>[];
  if (!all.some(({ grown }) => grown)) return;
  const used = new Set<unknown>();
  for (const one of workloads) {
    used.add(one.namespace).add(one.labels).add(one.templateLabels).add(one.owner).add(one.images).add(one.reported);
    for (const image of one.images) used.add(image);
  }
  for (const values of all) values.keepOnly(used);
}
