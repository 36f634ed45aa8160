import { describe, expect, it } from 'vitest';
import { imagesOf, referencesOf } from './workload.ts';

describe('referencesOf', () => {
  it('gives each image once and leaves out what is no reference', () => {
    const pod = podOf(['quay.io/a/b:1', 'Not An Image', 'quay.io/a/b:1', 'quay.io/a/c:2']);
    expect(referencesOf(pod, 4).map(({ repository, tag }) => `${repository}:${tag}`)).toEqual(['a/b:1', 'a/c:2']);
    expect(referencesOf(podOf(['quay.io/a/b:1']), 4)).toHaveLength(1);
    expect(referencesOf(podOf(['Not An Image']), 4)).toEqual([]);
    expect(referencesOf({ kind: 'ConfigMap', apiVersion: 'v1' }, 4)).toEqual([]);
  });

  it('gives nothing of an object that has more images than are judged', () => {
    expect(referencesOf(podOf(['a.io/a', 'a.io/a', 'a.io/b']), 2)).toEqual([]);
  });
});

describe('imagesOf', () => {
  it('passes over members of a list that are no containers', () => {
    const pod = podOf(['a.io/a', 'a.io/b']);
    const { containers } = pod.spec;
    expect(imagesOf({ ...pod, spec: { containers: [null, containers[0], 'x', [], containers[1]] } })).toEqual(
      imagesOf(pod),
    );
  });
});

function podOf(images: readonly string[]) {
  const containers = images.map((image, at) => ({ name: `c${at}`, image }));
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers } };
}
