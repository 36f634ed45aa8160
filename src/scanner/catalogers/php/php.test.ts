import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { phpCataloger } from './cataloger.ts';
import { parseInstalled } from './parse-installed.ts';

const A = { name: 'symfony/http-kernel', version: 'v4.4.1', license: ['MIT', 'BSD-3-Clause'] };
const A_STATED = { type: 'composer', name: 'symfony/http-kernel', version: '4.4.1', licence: 'MIT OR BSD-3-Clause' };
const parse = (value: unknown) => parseInstalled(Buffer.from(JSON.stringify(value)));

describe('phpCataloger', () => {
  it.each([
    ['app/vendor/composer/installed.json', true],
    ['composer/installed.json', true],
    ['app/composer.lock', false],
    ['app/vendor/composer/installed.json.bak', false],
    ['app/mycomposer/installed.json', false],
  ])('wants %s: %s', (path, wanted) => {
    expect(phpCataloger.wants(path)).toBe(wanted);
  });
});

describe('parseInstalled', () => {
  it.each([
    ['the list of Composer 1', [A], [A_STATED]],
    [
      'the object of Composer 2',
      { packages: [A], dev: true, 'dev-package-names': ['symfony/http-kernel'] },
      [A_STATED],
    ],
    ['a branch', [{ name: 'a/b', version: 'dev-main' }], [{ type: 'composer', name: 'a/b', version: 'dev-main' }]],
    ['nothing', { packages: [] }, []],
  ])('reads %s', (_what, value, packages) => {
    expect(parse(value)).toEqual({ packages });
  });

  it.each([
    ['no JSON', Buffer.from('<?php'), 0],
    ['a text', Buffer.from('"a"'), 0],
    [
      'entries that are none',
      Buffer.from(
        JSON.stringify([A, null, 1, { name: 'a' }, { name: 'a b/c', version: '1' }, { name: 'a/b', version: 1 }]),
      ),
      1,
    ],
  ])('finds a problem in %s', (_what, bytes, count) => {
    const { packages, problems } = parseInstalled(bytes);
    expect([packages.length, problems?.length]).toEqual([count, 1]);
  });

  it('survives any JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => void parseInstalled(Buffer.from(`{"packages":[${text}]}`))));
  });
});
