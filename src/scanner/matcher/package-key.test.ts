import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packageKey } from './package-key.ts';

describe('the key of a package', () => {
  it.each([
    ['PyPI', 'Zope.Interface', 'zope-interface'],
    ['PyPI', 'a--_.b', 'a-b'],
    ['PyPI', ' Django ', 'django'],
    ['NuGet', 'Newtonsoft.Json', 'newtonsoft.json'],
    ['Packagist', 'Symfony/HTTP-Kernel', 'symfony/http-kernel'],
    ['Packagist:https://packages.drupal.org/8', 'Drupal/Core', 'drupal/core'],
    ['Go', 'github.com/Azure/x', 'github.com/Azure/x'],
    ['npm', 'JSONStream', 'JSONStream'],
    ['Maven', 'org.Example:Some_Thing', 'org.Example:Some_Thing'],
    ['Debian:12', 'gcc-12', 'gcc-12'],
  ])('%s %s is %s', (ecosystem, name, key) => expect(packageKey(ecosystem, name)).toBe(key));

  it('is its own key', () =>
    fc.assert(
      fc.property(fc.constantFrom('PyPI', 'NuGet', 'Packagist', 'npm', 'Debian:12'), fc.string(), (ecosystem, name) => {
        const key = packageKey(ecosystem, name);
        expect(packageKey(ecosystem, key)).toBe(key);
      }),
    ));
});
