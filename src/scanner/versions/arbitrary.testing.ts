import * as fc from 'fast-check';
import type { VersionScheme } from './types.ts';

type Text = fc.Arbitrary<string>;

const digits = fc.constantFrom('0', '1', '2', '3', '9', '10', '11', '20', '00', '01', '05', '009', '100', '20230101');
const letter = fc.constantFrom('a', 'b', 'p', 'z');
const join = (...parts: Text[]): Text => fc.tuple(...parts).map((list) => list.join(''));
const optional = (part: Text): Text => fc.oneof({ weight: 2, arbitrary: fc.constant('') }, part);
const many = (part: Text, maxLength: number, minLength = 0): Text =>
  fc.array(part, { minLength, maxLength }).map((list) => list.join(''));
const one = (...texts: string[]): Text => fc.constantFrom(...texts);
const text = (...texts: string[]): Text => many(one(...texts), 5);
const anyCase = (part: Text): Text =>
  fc.tuple(part, fc.boolean()).map(([word, up]) => (up ? word.toUpperCase() : word));
const numbers = (number: Text, more: number): Text => join(number, many(join(fc.constant('.'), number), more));

const apkSuffix = one('alpha', 'beta', 'pre', 'rc', 'cvs', 'svn', 'git', 'hg', 'p');
const apk = join(
  numbers(digits, 3),
  optional(join(letter, optional(digits))),
  many(join(fc.constant('_'), apkSuffix, optional(digits)), 2),
  optional(join(fc.constant('-r'), digits)),
);

const debianText = text('0', '1', '9', '10', '00', 'a', 'B', 'z', '.', '+', '~', '~~', 'rc', 'deb');
const dpkg = join(
  optional(one('0:', '1:', '2:', '10:')),
  digits,
  debianText,
  optional(join(fc.constant('-x'), debianText)),
  optional(one('-1', '-0', '-1+b1', '-1~bpo1', '-1ubuntu0.1', '-0.1+deb12u1')),
);

const rpmText = text('0', '1', '9', '10', '00', 'a', 'B', 'z', '.', '+', '_', '..', '~', '^', 'rc', 'el9', 'fc');
const rpm = join(
  optional(one('0:', '1:', '2:', '10:', '00:')),
  digits,
  rpmText,
  optional(join(fc.constant('-'), digits, rpmText)),
);

const pacmanText = text('0', '1', '9', '10', '00', 'a', 'B', 'z', '.', '+', '_', '..', 'rc', '.r12.g');
const alpmPart = join(digits, pacmanText, digits);
/** With a pkgrel, as all packages have it: only those are in a transitive order. */
const alpm = join(optional(one('0:', '1:', '2:')), alpmPart, fc.constant('-'), optional(alpmPart), digits);

const identifier = one('0', '1', '2', '11', 'alpha', 'beta', 'rc', 'rc1', 'x-y', '-', '0a', 'A', '4294967296');
const identifiers = join(identifier, many(join(fc.constant('.'), identifier), 3));
const metadata = optional(one('+1', '+build.5', '+0-a'));
const preRelease = optional(join(fc.constant('-'), identifiers));
const semverNumber = one('0', '1', '2', '9', '10', '99999999999999');
const semver = join(semverNumber, fc.constant('.'), semverNumber, fc.constant('.'), semverNumber, preRelease, metadata);

const goModule = join(one('', 'v'), semver);
const goPseudo = join(
  one('v0.0.0-', 'v1.2.4-0.', 'v1.2.3-rc.1.0.'),
  one('20200101000000', '20210101000000'),
  one('-0123456789ab', '-ba9876543210'),
  one('', '+incompatible'),
);
const goToolchain = join(
  one('', 'go'),
  one('1', '2'),
  one('', '.20', '.21'),
  one('', '.0', '.7'),
  one('', 'rc1', 'rc2', 'beta1'),
);

const pep440 = join(
  optional(one('v', ' ')),
  optional(one('0!', '1!', '2!')),
  numbers(digits, 3),
  optional(
    join(
      one('', '.', '-', '_'),
      anyCase(one('a', 'alpha', 'b', 'beta', 'c', 'rc', 'pre', 'preview')),
      optional(join(one('', '.', '-', '_'), digits)),
    ),
  ),
  optional(one('-1', '-2', '.post', '.post1', 'post2', '-r3', '.rev4', '.POST_1')),
  optional(one('.dev', '.dev1', 'dev2', '-dev3', '_DEV0')),
  optional(
    join(
      fc.constant('+'),
      one('1', 'a', 'local', '01', 'Ubuntu'),
      many(join(one('.', '-', '_'), one('1', '2', 'a', 'b')), 2),
    ),
  ),
);

const mavenWord = anyCase(
  one(
    'alpha',
    'a',
    'beta',
    'b',
    'milestone',
    'm',
    'rc',
    'cr',
    'snapshot',
    'ga',
    'final',
    'release',
    'sp',
    'x',
    'redhat',
    'jre',
  ),
);
const maven = join(
  fc.oneof({ weight: 4, arbitrary: digits }, mavenWord),
  many(join(one('.', '.', '-', '-', '', '_'), fc.oneof(digits, mavenWord)), 5),
  optional(one('.', '-', '--')),
);

const rubygems = join(
  numbers(digits, 2),
  many(join(fc.constant('.'), fc.oneof(digits, one('a', 'b', 'rc', 'rc1', 'pre', 'beta2', '0a', 'A'))), 3),
  optional(join(fc.constant('-'), one('1', 'a', 'rc', 'x-y', '-', 'a.0', 'a.1', '0.0'))),
);

const nuget = join(numbers(plainDigitsOf32Bits(), 3), optional(join(fc.constant('-'), anyCase(identifiers))), metadata);

function plainDigitsOf32Bits(): Text {
  return one('0', '1', '2', '01', '9', '10', '2147483647');
}

const packagist = join(
  optional(one('v')),
  fc.oneof(
    numbers(one('0', '1', '2', '9', '10', '00', '01', '12345'), 3),
    one('20230101', '2023-01-01', '2023.01.02', '20230101.123456', '2023-01-01-2'),
  ),
  optional(
    join(
      one('', '.', '-', '_'),
      anyCase(one('stable', 'alpha', 'a', 'beta', 'b', 'rc', 'patch', 'pl', 'p')),
      optional(join(one('', '.', '-'), digits)),
      optional(join(one('.', '-'), digits)),
    ),
  ),
  optional(one('dev', '-dev', '.dev')),
  optional(one('+meta', '+1')),
);
const packagistBranch = one('1.x-dev', '2.x-dev', '1.0.x-dev', '1.1.x-dev', '1.*-dev', 'v1.x-dev');

const cran = join(digits, many(join(one('.', '-'), digits), 4));

const generic = join(
  one('', 'v'),
  digits,
  text(
    '.',
    '-',
    '_',
    '+',
    ' ',
    '0',
    '1',
    '9',
    '10',
    'a',
    'b',
    'u',
    'p',
    'rc',
    'beta',
    'RC',
    'ea',
    'dev',
    'preview',
    '~',
  ),
);

const plainMavenWord = join(
  anyCase(one('alpha', 'a', 'beta', 'b', 'milestone', 'm', 'rc', 'cr', 'snapshot', 'sp', 'x', 'redhat', 'jre')),
  optional(join(one('-', ''), digits)),
);

/**
 * Versions as projects write them, within what released Maven orders without contradiction: no part is empty, the words for a
 * release have no number, and nothing follows a word after a dot.
 */
export const plainMavenVersion: Text = join(
  numbers(digits, 3),
  fc.oneof(
    one('', '.Final', '-GA', '.RELEASE', '.final', '-ga'),
    join(fc.constant('.'), plainMavenWord),
    join(one('', '-'), plainMavenWord, optional(one('-SNAPSHOT', '-1', '-2', '-jre', '-redhat-00001'))),
  ),
);

const upTo = (max: number): Text => fc.nat(max).map(String);

/** Versions of Go releases: three numbers or a candidate since 1.21; before that, no third number that is zero. */
export const goReleaseVersion: Text = fc.oneof(
  join(
    fc.constant('go1.'),
    upTo(20),
    fc.oneof(
      one('', 'rc1', 'rc2', 'beta1'),
      upTo(20).map((patch) => `.${Number(patch) + 1}`),
    ),
  ),
  join(
    fc.constant('go1.'),
    upTo(20).map((minor) => `${Number(minor) + 21}`),
    fc.oneof(one('rc1', 'rc2'), join(fc.constant('.'), upTo(20))),
  ),
);

/** Module versions, pseudo-versions included. */
export const goModuleVersion: Text = fc.oneof(goModule, goPseudo);

/** Versions of each scheme that its reference takes, close to each other so that every rule is met often. */
export const ARBITRARY_VERSIONS: Readonly<Record<VersionScheme, Text>> = {
  alpm,
  apk,
  bitnami: semver,
  cran,
  dpkg,
  generic,
  go: fc.oneof(goModuleVersion, goToolchain),
  maven,
  nuget,
  packagist: fc.oneof({ weight: 9, arbitrary: packagist }, packagistBranch),
  pep440,
  rpm,
  rubygems,
  semver,
};
