import { describe, expect, it } from 'vitest';
import { entryFromDenial } from './from-denial.ts';

describe('an entry from the message of a denial', () => {
  it.each([
    [
      'Error from server (Forbidden): error when creating "pod.yaml": admission webhook "validation.gatekeeper.sh" denied the request: [denied by require-harbor-repo] container "web" has an invalid image repo "quay.io/acme/web:1.16.0", allowed repos are ["harbor.example.com"]',
      'quay.io/acme/web',
    ],
    ['[x] container <web> has an invalid image repo <nginx>, allowed repos are ["a"]', 'docker.io/library/nginx'],
    [
      'The container named <web> does not have an allowed image registry <ghcr.io/acme/web@sha256:' +
        `${'a'.repeat(64)}>, allowed registries are <["a"]>.`,
      'ghcr.io/acme/web',
    ],
  ])('%s: %s', (message, entry) => expect(entryFromDenial(message)).toBe(entry));

  it.each([
    '',
    'nginx',
    'has an invalid image repo "not an image"',
    'has an invalid image repo ""',
    'x'.repeat(100_000),
  ])('is none for %s', (message) => expect(entryFromDenial(message)).toBeUndefined());
});
