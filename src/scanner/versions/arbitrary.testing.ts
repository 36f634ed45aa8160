import * as fc from 'fast-check';

const digits = fc.constantFrom('0', '1', '2', '3', '9', '10', '11', '20', '00', '01', '05', '009', '100', '20230101');
const letter = fc.constantFrom('a', 'b', 'p', 'z');
const join = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((list) => list.join(''));
const optional = (part: fc.Arbitrary<string>) => fc.oneof({ weight: 2, arbitrary: fc.constant('') }, part);
const many = (part: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(part, { maxLength }).map((list) => list.join(''));

const apkSuffix = fc.constantFrom('alpha', 'beta', 'pre', 'rc', 'cvs', 'svn', 'git', 'hg', 'p');

/** Versions that apk-tools takes, close to each other so that every rule is met often. */
export const apkVersion: fc.Arbitrary<string> = join(
  digits,
  many(
    digits.map((text) => `.${text}`),
    3,
  ),
  optional(join(letter, optional(digits))),
  many(
    join(
      apkSuffix.map((text) => `_${text}`),
      optional(digits),
    ),
    2,
  ),
  optional(digits.map((text) => `-r${text}`)),
);

const debianText = fc.array(
  fc.constantFrom('0', '1', '9', '10', '00', 'a', 'B', 'z', '.', '+', '~', '~~', 'rc', 'deb'),
  {
    maxLength: 5,
  },
);

/** Versions that dpkg takes without a warning. */
export const debianVersion: fc.Arbitrary<string> = join(
  optional(fc.constantFrom('0:', '1:', '2:', '10:')),
  digits,
  debianText.map((list) => list.join('')),
  optional(debianText.map((list) => `-x${list.join('')}`)),
  optional(fc.constantFrom('-1', '-0', '-1+b1', '-1~bpo1', '-1ubuntu0.1', '-0.1+deb12u1')),
);

const semverNumber = fc.constantFrom('0', '1', '2', '9', '10', '99999999999999999999');
const semverIdentifier = fc.constantFrom('0', '1', '2', '11', 'alpha', 'beta', 'rc', 'rc1', 'x-y', '-', '0a', 'A');

/** Versions by the grammar of Semantic Versioning 2.0.0. */
export const semanticVersion: fc.Arbitrary<string> = join(
  semverNumber,
  semverNumber.map((text) => `.${text}`),
  semverNumber.map((text) => `.${text}`),
  optional(fc.array(semverIdentifier, { minLength: 1, maxLength: 4 }).map((list) => `-${list.join('.')}`)),
  optional(fc.constantFrom('+1', '+build.5', '+0-a')),
);
