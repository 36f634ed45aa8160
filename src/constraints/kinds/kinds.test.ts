import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tryParseReference } from '../../oci/reference.ts';
import { type ConstraintKind, compileRule } from './kinds.ts';
import type { RuleMode } from './rule.ts';

const D = `sha256:${'a'.repeat(64)}`;

function breaches(
  kind: ConstraintKind,
  parameters: unknown,
  image: string,
  mode: RuleMode,
): readonly string[] | undefined {
  return compileRule(kind, parameters, mode)?.breaches(image, tryParseReference(image));
}

type Case = readonly [entry: string, image: string, compat: boolean, ours: boolean];

describe('K8sAllowedRepos', () => {
  // Gatekeeper's answer first, ours second.
  it.each<Case>([
    ['h.io', 'h.io.evil.io/x', true, false],
    ['h.io', 'h.io:5000/x', true, false],
    ['h.io', 'h.io/x', true, true],
    ['docker.io/x/', 'x/y', false, true],
    ['docker.io/library/', 'nginx', false, true],
    ['nginx', 'nginxevil.com/x', true, false],
    ['nginx', 'docker.io/library/nginx', false, true],
    ['h.io', 'h.io/UPPER', true, false],
    ['', 'anything', true, false],
  ])('%s: is %s allowed? Gatekeeper %s, we %s', (entry, image, compat, ours) => {
    const parameters = { repos: [entry] };
    expect(breaches('K8sAllowedRepos', parameters, image, 'compat')?.length).toBe(compat ? 0 : 1);
    expect(breaches('K8sAllowedRepos', parameters, image, 'reference')?.length).toBe(ours ? 0 : 1);
  });

  it('checks nothing without a list and trusts nothing with an empty one', () => {
    for (const parameters of [undefined, null, {}, { repos: null }]) {
      expect(breaches('K8sAllowedRepos', parameters, 'nginx', 'reference')).toBeUndefined();
    }
    expect(breaches('K8sAllowedRepos', { repos: [] }, 'nginx', 'reference')).toEqual(['repo']);
    expect(() => compileRule('K8sAllowedRepos', { repos: 'nginx' }, 'reference')).toThrow();
  });
});

describe('K8sAllowedReposv2', () => {
  it.each<Case>([
    ['h.io/p/app:1', 'h.io/p/app:1', true, true],
    ['h.io/p/app:1', `h.io/p/app:1@${D}`, false, true],
    ['h.io/p/app:1', `h.io/p/app:2@${D}`, false, false],
    ['h.io/p/app:1', `h.io/p/app@${D}`, false, false],
    ['h.io/p/app', 'h.io/p/app', true, true],
    ['h.io/p/app', 'h.io/p/app:latest', false, true],
    ['h.io/p/app', 'h.io/p/app:16', false, false],
    [`h.io/p/app@${D}`, `h.io/p/app:1@${D}`, false, true],
    ['h.io/p/*', 'h.io/p/x:1', true, true],
    ['h.io/p/*', 'h.io/pevil/x:1', false, false],
    ['h.io*', 'h.io.evil.io/x', true, false],
    ['h.io*', 'h.io/x', true, true],
    ['h.io:5000*', 'h.io:50001/x', true, false],
    ['nginx*', 'docker.io/library/nginx:1', false, true],
    ['nginx:*', 'nginx:1', true, true],
    ['nginx:*', 'nginx-evil:1', false, false],
    ['*', 'anything/at/all:1', true, true],
    ['*', 'NOT A REFERENCE', true, false],
  ])('%s: is %s allowed? Gatekeeper %s, we %s', (entry, image, compat, ours) => {
    const parameters = { allowedImages: [entry] };
    expect(breaches('K8sAllowedReposv2', parameters, image, 'compat')?.length).toBe(compat ? 0 : 1);
    expect(breaches('K8sAllowedReposv2', parameters, image, 'reference')?.length).toBe(ours ? 0 : 1);
  });
});

describe('K8sDisallowedRepos', () => {
  it.each<Case>([
    ['docker.io', 'nginx', true, false],
    ['docker.io/x/', 'x/y:1', true, false],
    ['h.io', 'h.io.good.io/x', false, true],
    ['not a reference', 'not a reference:1', false, false],
    ['h.io', 'BROKEN//', true, false],
  ])('%s: is %s allowed? Gatekeeper %s, we %s', (entry, image, compat, ours) => {
    const parameters = { repos: [entry] };
    expect(breaches('K8sDisallowedRepos', parameters, image, 'compat')?.length).toBe(compat ? 0 : 1);
    expect(breaches('K8sDisallowedRepos', parameters, image, 'reference')?.length).toBe(ours ? 0 : 1);
  });
});

describe('other names of a registry', () => {
  it.each([
    ['evil.io/bad', 'evil.io:443/bad/x'],
    ['evil.io/bad', 'EVIL.io:0443/bad/x'],
    ['evil.io:443/bad', 'evil.io/bad/x'],
    ['evil.io:443', 'evil.io/bad/x'],
    ['docker.io', 'docker.io:443/library/nginx'],
    ['docker.io', 'registry-1.docker.io/library/nginx'],
    ['docker.io', 'registry-1.docker.io:443/nginx'],
    ['docker.io', 'registry.hub.docker.com/library/nginx'],
    ['nginx', 'registry.hub.docker.com/library/nginx:1'],
    ['nginx:1', 'registry-1.docker.io/library/nginx:1'],
    ['registry.hub.docker.com', 'nginx'],
    ['registry-1.docker.io/library/nginx', 'nginx'],
  ])('%s forbids %s, and does not allow it', (entry, image) => {
    expect(breaches('K8sDisallowedRepos', { repos: [entry] }, image, 'reference')).toEqual(['repo']);
    expect(breaches('K8sAllowedRepos', { repos: [entry] }, image, 'reference')).toEqual(['repo']);
  });

  it.each([
    ['evil.io', 'evil.io:5000/x'],
    ['evil.io', 'evil.io:4430/x'],
    ['evil.io:5000', 'evil.io/x'],
    ['docker.io', 'mirror.gcr.io/library/nginx'],
    ['docker.io', 'registry-1.docker.io.good.io/library/nginx'],
    ['nginx:443', 'nginx'],
  ])('%s does not forbid %s', (entry, image) => {
    expect(breaches('K8sDisallowedRepos', { repos: [entry] }, image, 'reference')).toEqual([]);
  });
});

describe('K8sDisallowedTags', () => {
  it.each([
    ['x:latest', ['tag'], ['tag']],
    ['x', ['no-tag'], ['no-tag']],
    ['h.io:5000/x', ['no-tag'], ['no-tag']],
    ['x:1', [], []],
    [`x:latest@${D}`, [], []],
    [`x@${D}`, [], []],
    ['x:latest@sha256:1', [], ['unreadable']],
    ['exempt/x:latest', [], []],
    ['docker.io/exempt/x', ['no-tag'], []],
  ])('%s', (image, compat, ours) => {
    const parameters = { tags: ['latest'], exemptImages: ['exempt/*'] };
    expect(breaches('K8sDisallowedTags', parameters, image, 'compat')).toEqual(compat);
    expect(breaches('K8sDisallowedTags', parameters, image, 'reference')).toEqual(ours);
  });
});

describe('K8sImageDigests', () => {
  it.each([
    ['x:1', ['no-digest'], ['no-digest']],
    [`x@${D}`, [], []],
    ['x@sha256:1', [], ['no-digest']],
    ['exempt:1', [], []],
    ['docker.io/library/exempt:1', ['no-digest'], []],
  ])('%s', (image, compat, ours) => {
    const parameters = { exemptImages: ['exempt:1'] };
    expect(breaches('K8sImageDigests', parameters, image, 'compat')).toEqual(compat);
    expect(breaches('K8sImageDigests', parameters, image, 'reference')).toEqual(ours);
  });
});

it('a text that is no image reference is trusted by nothing, whatever is listed', () => {
  const entry = fc.oneof(fc.constantFrom('*', '', 'h.io', 'h.io/*', 'a*'), fc.string());
  fc.assert(
    fc.property(fc.array(entry), fc.string(), (entries, image) => {
      fc.pre(tryParseReference(image) === undefined);
      expect(breaches('K8sAllowedRepos', { repos: entries }, image, 'reference')).toEqual(['repo']);
      expect(breaches('K8sAllowedReposv2', { allowedImages: entries }, image, 'reference')).toEqual(['repo']);
      expect(breaches('K8sDisallowedRepos', { repos: entries }, image, 'reference')).toEqual(['unreadable']);
    }),
  );
});
