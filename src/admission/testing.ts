import type { LiveWorkload, LiveWorkloads } from '../constraints/live-workloads.ts';
import type { WorkloadImage } from '../constraints/workload.ts';
import type { AdmissionRequest } from './parse-review.ts';

/** A review request as the API server makes it, CREATE in `demo` unless said otherwise. */
export function testRequest(object: unknown, more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    uid: 'u1',
    operation: 'CREATE',
    namespace: 'demo',
    object: object as Record<string, unknown>,
    ...more,
  };
}

/** A living workload in `demo` whose template has these images. */
export function testWorkload(
  kind: string,
  name: string,
  images: readonly string[],
  controller?: LiveWorkload,
): LiveWorkload {
  const apiVersion = ['Job', 'CronJob'].includes(kind) ? 'batch/v1' : 'apps/v1';
  const named = images.map((image, at): WorkloadImage => ({ place: 'container', name: `c${at}`, image }));
  return {
    uid: `uid-${name}`,
    apiVersion,
    kind,
    namespace: 'demo',
    name,
    images: named,
    ...(controller ? { controller } : {}),
  };
}

/** Living workloads from a list that may change. */
export function testLive(workloads: readonly LiveWorkload[]): LiveWorkloads {
  const find = (uid: string) => workloads.find((one) => one.uid === uid);
  const topOf = (uid: string): LiveWorkload | undefined => {
    const one = find(uid);
    return one && ((one.controller && topOf(one.controller.uid)) ?? one);
  };
  return { workload: find, topOf, problem: () => undefined };
}

/** An object that a workload controls, as its controller makes it. */
export function testChild(owner: LiveWorkload, object: Record<string, unknown>): Record<string, unknown> {
  const { apiVersion, kind, name, uid } = owner;
  const metadata = object['metadata'] as Record<string, unknown>;
  return {
    ...object,
    metadata: { ...metadata, ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] },
  };
}
