import type * as fc from 'fast-check';
import {
  ARBITRARY_VERSIONS,
  goModuleVersion,
  goReleaseVersion,
  plainMavenVersion,
} from '../../../src/scanner/versions/arbitrary.testing.ts';
import type { VersionScheme } from '../../../src/scanner/versions/index.ts';
import { requirePeer } from '../../support/peers.ts';
import type { Command } from './agreement.ts';

/** An implementation that is the measure of a scheme, and where it may take other texts for versions than ours does. */
export interface Reference {
  readonly scheme: VersionScheme;
  readonly name: string;
  /** Prints the version of the reference; a text where it is fixed by what builds it. */
  readonly version: Command | string;
  /** What must be there; its name leaves the reference out. */
  readonly program: string;
  readonly command: () => Command;
  readonly generated: fc.Arbitrary<string>;
  /** Asks only about versions as the generator makes them, not about small changes of them: see there for the reason. */
  readonly exact?: boolean;
  /** Folders of OSV records that name real versions. Empty: none, or none that the reference can be asked about. */
  readonly ecosystems: readonly string[];
  /** Forms of versions that only one of the two takes. A pair that only one orders must have one of these. */
  readonly onlyOurs?: readonly RegExp[];
  readonly onlyTheirs?: readonly RegExp[];
}

const driver = (file: string) => `${import.meta.dirname}/${file}`;
const debian = (name: string): Command => ['dpkg-query', '--show', '--showformat=${Version}', name];
const RPM_ECOSYSTEMS = ['AlmaLinux', 'Rocky Linux', 'Red Hat', 'SUSE', 'Mageia'];

export const REFERENCES: readonly Reference[] = [
  {
    scheme: 'dpkg',
    name: 'dpkg --compare-versions',
    version: debian('dpkg'),
    program: 'dpkg',
    command: () => ['sh', driver('dpkg.sh')],
    generated: ARBITRARY_VERSIONS.dpkg,
    ecosystems: ['Debian', 'Ubuntu'],
    // dpkg warns of these and orders them all the same.
    onlyOurs: [/^(?:\d+:)?[^0-9]/],
    // An epoch of minus zero.
    onlyTheirs: [/^-0+:/],
  },
  {
    scheme: 'rpm',
    name: 'rpm.ver of rpm',
    version: debian('rpm'),
    program: 'rpm',
    command: () => ['rpm', '--eval', `%{lua: dofile("${driver('rpm.lua')}")}`],
    generated: ARBITRARY_VERSIONS.rpm,
    ecosystems: RPM_ECOSYSTEMS,
  },
  {
    scheme: 'alpm',
    name: 'alpm_pkg_vercmp of pacman',
    version: debian('libalpm13'),
    program: 'python3',
    command: () => ['python3', driver('alpm.py')],
    generated: ARBITRARY_VERSIONS.alpm,
    // No records of Arch Linux there; those of rpm have the same form.
    ecosystems: RPM_ECOSYSTEMS,
    // A part that is empty or ends in a separator.
    onlyTheirs: [/(?:[^0-9A-Za-z]|^)(?:-[^-]*)?$/],
  },
  {
    scheme: 'semver',
    name: 'node-semver, loose',
    version: ['node', '-p', "require('semver/package.json').version"],
    program: 'node',
    command: () => ['node', driver('semver.mjs')],
    generated: ARBITRARY_VERSIONS.semver,
    ecosystems: ['npm', 'crates.io', 'Hex', 'Pub', 'SwiftURL'],
    // One or two numbers; numbers beyond the safe integers.
    onlyOurs: [/^[v=\s]*\d+(?:\.\d+)?(?:[-+A-Za-z]|$)/, /\d{16}/],
    // A fourth number, for which node-semver cuts the third in two; an empty pre-release.
    onlyTheirs: [/^[v=\s]*\d+\.\d+\.\d{2,}\./, /-(?:\.|\+|$)/],
  },
  {
    scheme: 'go',
    name: 'golang.org/x/mod/semver',
    version: '0.43.0',
    program: 'go-versions',
    command: () => [requirePeer('go-versions'), 'go'],
    generated: goModuleVersion,
    ecosystems: ['Go'],
    // Candidates as the Go toolchain writes them; a pre-release after less than three numbers.
    onlyOurs: [/^v?\d+(?:\.\d+){0,2}(?:rc|beta|alpha)\d+$/, /^v?\d+(?:\.\d+)?[-+]/],
  },
  {
    scheme: 'go',
    name: 'go/version of Go',
    version: ['go', 'env', 'GOVERSION'],
    program: 'go-versions',
    command: () => [requirePeer('go-versions'), 'release'],
    generated: goReleaseVersion,
    // `go1.21` is a language there and `go1.21-x` is one with a suffix; for us, as in advisories, both are the release.
    exact: true,
    ecosystems: [],
  },
  {
    scheme: 'pep440',
    name: 'packaging',
    version: '26.3',
    program: 'python-versions',
    command: () => [requirePeer('python-versions')],
    generated: ARBITRARY_VERSIONS.pep440,
    ecosystems: ['PyPI'],
  },
  {
    scheme: 'maven',
    name: 'ComparableVersion of maven-artifact',
    version: '4.0.0-rc-6',
    program: 'maven-versions',
    command: () => [requirePeer('maven-versions')],
    generated: plainMavenVersion,
    // Maven contradicts itself elsewhere (3.Final = 3 < 3.Final-jre < 3.Final; 0-rc < 0 < x < 0-rc): no order can agree with it there.
    exact: true,
    ecosystems: ['Maven'],
  },
  {
    scheme: 'rubygems',
    name: 'Gem::Version of RubyGems',
    version: '3.6.9',
    program: 'ruby-versions',
    command: () => [requirePeer('ruby-versions')],
    generated: ARBITRARY_VERSIONS.rubygems,
    ecosystems: ['RubyGems'],
  },
  {
    scheme: 'packagist',
    name: 'Composer\\Semver',
    version: debian('php-composer-semver'),
    program: 'php',
    command: () => ['php', driver('packagist.php')],
    generated: ARBITRARY_VERSIONS.packagist,
    ecosystems: ['Packagist'],
    // Dates that a second short number follows: newer Composer\Semver takes them.
    onlyOurs: [/^v?\d{4}(?:[.:-]?\d{2}){1,6}(?:[.:-]?\d{1,3}){2}/],
  },
  {
    scheme: 'cran',
    name: 'compareVersion of R',
    version: debian('r-base-core'),
    program: 'Rscript',
    command: () => ['Rscript', driver('cran.R')],
    generated: ARBITRARY_VERSIONS.cran,
    ecosystems: ['CRAN'],
    // Numbers beyond 2³¹-1.
    onlyOurs: [/\d{10}/],
  },
  {
    scheme: 'bitnami',
    name: 'bitnami/go-version',
    version: '2025-05-05',
    program: 'go-versions',
    command: () => [requirePeer('go-versions'), 'bitnami'],
    generated: ARBITRARY_VERSIONS.bitnami,
    ecosystems: ['Bitnami'],
    // One or two numbers; leading zeros.
    onlyOurs: [/^\d+(?:\.\d+)?(?:[-+]|$)/, /(?:^|[.-])0\d/],
  },
];
