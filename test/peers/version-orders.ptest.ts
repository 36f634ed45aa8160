import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARBITRARY_VERSIONS } from '../../src/scanner/versions/arbitrary.testing.ts';
import { compareVersions, type VersionScheme } from '../../src/scanner/versions/index.ts';
import { dataPath, hasData } from '../support/data.ts';

const PAIRS = 10_000;
/** Processes that ask the reference implementation at the same time. */
const ASKERS = 2;
const leftOut = (process.env['BREAKWATER_LEAVE_OUT'] ?? '').split(',');
const folder = mkdtempSync(join(tmpdir(), 'breakwater-versions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Pair = readonly [string, string];

/** Generated versions and real ones, each paired at random; half of the pairs are of one version and a small change of it. */
function pairs(generated: fc.Arbitrary<string>, real: readonly string[]): readonly Pair[] {
  const version = real.length === 0 ? generated : fc.oneof(generated, fc.constantFrom(...real));
  return fc.sample(fc.tuple(version, version), { numRuns: PAIRS, seed: 20_261_125 });
}

function expectAgreement(scheme: VersionScheme, list: readonly Pair[], signs: readonly string[]): void {
  expect(signs).toHaveLength(list.length);
  const differences = list.flatMap(([a, b], i) => {
    const order = compareVersions(scheme, a, b);
    const ours = order === undefined ? '?' : ['<', '=', '>'][order + 1];
    return ours === signs[i] ? [] : [`${a} ${signs[i]} ${b}, but we say ${ours}`];
  });
  expect(differences.slice(0, 20)).toEqual([]);
}

/** Feeds the pairs, one a line, to a command that prints `<`, `=` or `>` for each. */
async function ask(list: readonly Pair[], command: string, args: readonly string[]): Promise<readonly string[]> {
  const size = Math.ceil(list.length / ASKERS);
  const shares = Array.from({ length: ASKERS }, (_, i) => list.slice(i * size, (i + 1) * size));
  const answers = await Promise.all(
    shares.map(
      (share) =>
        new Promise<string>((resolve, reject) => {
          const child = execFile(command, args, { maxBuffer: 1e8 }, (error, stdout) =>
            error ? reject(error) : resolve(stdout),
          );
          child.stdin?.end(`${share.map(([a, b]) => `${a} ${b}`).join('\n')}\n`);
        }),
    ),
  );
  return answers.flatMap((answer) => answer.trim().split('\n'));
}

function column(file: string, index: number): readonly string[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[index] ?? '');
}

describe('the order of dpkg', () => {
  it('is that of the real dpkg --compare-versions', { timeout: 180_000 }, async () => {
    const real = hasData ? column(dataPath('images/expected/debian/debian-12-minbase.tar.gz.tsv'), 1) : [];
    const list = pairs(ARBITRARY_VERSIONS.dpkg, real);
    const script = `while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo '<';
      elif dpkg --compare-versions "$a" eq "$b"; then echo '='; else echo '>'; fi; done`;
    const signs = await ask(list, 'sh', ['-c', script]);
    expectAgreement('dpkg', list, signs);
  });
});

describe.skipIf(!hasData || leftOut.includes('chroot'))('the order of apk', () => {
  const root = join(folder, 'alpine');

  beforeAll(() => {
    if (process.getuid?.() !== 0) {
      throw new Error(
        'the real apk runs in a chroot, which needs root: run as root or set BREAKWATER_LEAVE_OUT=chroot',
      );
    }
    const newest = readdirSync(dataPath('images/alpine'))
      .filter((name) => /-3\.\d+\.\d+-x86_64/.test(name))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .at(-1);
    execFileSync('mkdir', ['-p', root]);
    execFileSync('tar', ['-xzf', dataPath('images/alpine', newest ?? ''), '-C', root]);
  });

  it('is that of the real apk version -t', { timeout: 180_000 }, async () => {
    const real = readdirSync(dataPath('images/expected/alpine')).flatMap((name) =>
      column(dataPath('images/expected/alpine', name), 1),
    );
    const list = pairs(ARBITRARY_VERSIONS.apk, real);
    const script = 'while read -r a b; do apk version -t "$a" "$b"; done';
    const signs = await ask(list, 'chroot', [root, '/bin/sh', '-c', script]);
    expectAgreement('apk', list, signs);
  });

  it('takes for a version what the real apk takes for one, in all of the security database', {
    timeout: 60_000,
  }, () => {
    const versions = new Set<string>();
    for (const branch of readdirSync(dataPath('secdb'))) {
      for (const name of readdirSync(dataPath('secdb', branch))) {
        const file = JSON.parse(readFileSync(dataPath('secdb', branch, name), 'utf8')) as {
          packages: { pkg: { secfixes: Record<string, unknown> } }[];
        };
        for (const { pkg } of file.packages) for (const version of Object.keys(pkg.secfixes)) versions.add(version);
      }
    }
    expect(versions.size).toBeGreaterThan(3000);
    writeFileSync(join(root, 'versions'), `${[...versions].join('\n')}\n`);
    // apk prints the versions it does not take.
    const script = 'xargs -n 200 apk version -c < /versions';
    let output: string;
    try {
      output = execFileSync('chroot', [root, '/bin/sh', '-c', script], { encoding: 'utf8' });
    } catch (error) {
      output = String((error as { stdout?: unknown }).stdout);
    }
    const refused = output.split('\n').filter((line) => line !== '');
    const ours = [...versions].filter((version) => compareVersions('apk', version, version) === undefined);
    expect(ours.sort()).toEqual(refused.sort());
  });
});
