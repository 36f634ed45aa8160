import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testPod } from '../constraints/testing.ts';
import { imagesOf } from '../constraints/workload.ts';
import { digestOf } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import { mutatingConfiguration } from './mutating-configuration.ts';
import type { AdmissionRequest } from './parse-review.ts';
import { type PatchOperation, pinImages, pinnableReferences, pinningResponse } from './pinning.ts';
import { testChild, testRequest, testWorkload } from './testing.ts';

const D1 = digestOf('1');
const D2 = digestOf('2');
let current = D1;
const digests = {
  digestOf: (reference: Reference) =>
    reference.digest ?? (reference.registry === 'ours.io' && reference.tag !== 'gone' ? current : undefined),
};

function pin(request: AdmissionRequest, templates = false): PatchOperation[] {
  return pinImages(digests, request, { templates });
}

/** The object with its patch, as the API server makes it. */
function patched(object: unknown, operations: readonly PatchOperation[]): Record<string, unknown> {
  const copy = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
  for (const { path, value } of operations) {
    const steps = path.split('/').slice(1);
    const last = steps.pop() ?? '';
    let at: Record<string, unknown> = copy;
    for (const step of steps) at = at[step] as Record<string, unknown>;
    expect(at).toHaveProperty(last);
    at[last] = value;
  }
  return copy;
}

function templated(kind: string, image: string, metadata: Record<string, unknown> = {}): Record<string, unknown> {
  const template = { spec: { containers: [{ name: 'c', image }] } };
  if (kind === 'PodTemplate') return { apiVersion: 'v1', kind, metadata, template };
  const spec = kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template };
  const apiVersion = ['Job', 'CronJob'].includes(kind)
    ? 'batch/v1'
    : kind === 'ReplicationController'
      ? 'v1'
      : 'apps/v1';
  return { apiVersion, kind, metadata, spec };
}

describe('pinning', () => {
  it('puts digests behind kept tags in every place, and touches nothing else', () => {
    const pod = {
      ...testPod(),
      spec: {
        containers: [
          { name: 'a', image: 'ours.io/a:1' },
          { name: 'b', image: 'docker.io/b:1' },
          { name: 'c', image: `ours.io/c:1@${D2}` },
          { name: 'd', image: 'ours.io/d:gone' },
          { name: 'e', image: 'ours.io/e' },
          { name: 'f', image: '%%' },
          null,
        ],
        initContainers: [{ name: 'i', image: 'ours.io/i:1' }],
        ephemeralContainers: [{ name: 'x', image: 'ours.io/x:1' }],
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 'w', image: { reference: 'ours.io/w:1' } },
        ],
      },
    };
    const operations = pin(testRequest(pod));
    expect(operations).toEqual([
      { op: 'replace', path: '/spec/containers/0/image', value: `ours.io/a:1@${D1}` },
      { op: 'replace', path: '/spec/containers/4/image', value: `ours.io/e@${D1}` },
      { op: 'replace', path: '/spec/initContainers/0/image', value: `ours.io/i:1@${D1}` },
      { op: 'replace', path: '/spec/ephemeralContainers/0/image', value: `ours.io/x:1@${D1}` },
      { op: 'replace', path: '/spec/volumes/1/image/reference', value: `ours.io/w:1@${D1}` },
    ]);
    expect(pin(testRequest(pod, { dryRun: true }))).toEqual(operations);
    expect(pinnableReferences(testRequest(pod)).map(({ original }) => original)).not.toContain(`ours.io/c:1@${D2}`);
  });

  it('done again changes nothing, whatever the images', () => {
    const image = fc.oneof(
      fc.constantFrom('ours.io/a:1', 'ours.io/a', `ours.io/a:1@${D2}`, 'nginx', '%%', 'ours.io/a:gone', ''),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(image, { maxLength: 6 }), (images) => {
        const pod = testPod(...images);
        const once = patched(pod, pin(testRequest(pod)));
        expect(pin(testRequest(once))).toEqual([]);
        for (const [index, { image: after }] of imagesOf(once).entries()) {
          const before = images.filter((text) => text !== '')[index] ?? '';
          expect(after === before || after === `${before}@${D1}`).toBe(true);
        }
      }),
    );
  });

  it('leaves running pods as they are and pins what an update brings', () => {
    const update = (object: unknown, old: unknown) =>
      pin(testRequest(object, { operation: 'UPDATE', oldObject: old as Record<string, unknown> }));
    expect(update(testPod('ours.io/a:1'), testPod('ours.io/a:1'))).toEqual([]);
    expect(update(testPod('ours.io/a:2'), testPod('ours.io/a:1'))).toHaveLength(1);
    // Applied again as it was written: the pin stays, though the tag has moved, and a Job's fixed template is kept.
    const pinned = testPod(`ours.io/a:1@${D1}`);
    current = D2;
    expect(update(testPod('ours.io/a:1'), pinned)).toEqual([
      { op: 'replace', path: '/spec/containers/0/image', value: `ours.io/a:1@${D1}` },
    ]);
    current = D1;
  });

  it.each([
    'Deployment',
    'StatefulSet',
    'DaemonSet',
    'ReplicaSet',
    'ReplicationController',
    'Job',
    'CronJob',
    'PodTemplate',
  ])('pins the template of a %s where that is asked for', (kind) => {
    const object = templated(kind, 'ours.io/a:1');
    expect(pin(testRequest(object))).toEqual([]);
    const operations = pin(testRequest(object), true);
    expect(imagesOf(patched(object, operations)).map(({ image }) => image)).toEqual([`ours.io/a:1@${D1}`]);
  });

  it('never changes what a controller makes from a template, nor mirror pods, nor what is leaving', () => {
    const owner = testWorkload('Deployment', 'web', ['ours.io/a:1']);
    expect(pin(testRequest(testChild(owner, templated('ReplicaSet', 'ours.io/a:1'))), true)).toEqual([]);
    const set = testWorkload('ReplicaSet', 'web-1', ['ours.io/a:1']);
    expect(pin(testRequest(testChild(set, testPod('ours.io/a:1'))))).toHaveLength(1);
    const pod = testPod('ours.io/a:1');
    expect(pin(testRequest({ ...pod, metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }))).toEqual([]);
    expect(pin(testRequest({ ...pod, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }))).toEqual([]);
    expect(pin(testRequest(pod, { operation: 'DELETE' }))).toEqual([]);
    expect(pin(testRequest(null))).toEqual([]);
  });

  it('answers with a base64 JSON patch, or with nothing', () => {
    expect(pinningResponse('u', [])).toEqual({ uid: 'u', allowed: true });
    const operations = pin(testRequest(testPod('ours.io/a:1')));
    const { patch, ...rest } = pinningResponse('u', operations);
    expect(rest).toEqual({ uid: 'u', allowed: true, patchType: 'JSONPatch' });
    expect(JSON.parse(Buffer.from(patch ?? '', 'base64').toString())).toEqual(operations);
  });

  it('is asked for pods, and for templates by choice', () => {
    const made = (templates: boolean) =>
      JSON.stringify(mutatingConfiguration({ clientConfig: { url: 'https://x' }, namespace: 'n', templates }));
    expect(made(false)).toContain('"resources":["pods","pods/ephemeralcontainers"]');
    expect(made(false)).not.toContain('deployments');
    expect(made(true)).toContain('deployments');
    expect(made(true)).toContain('"failurePolicy":"Ignore"');
  });
});
