import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARBITRARY_VERSIONS } from '../../src/scanner/versions/arbitrary.testing.ts';
import { compareVersions } from '../../src/scanner/versions/index.ts';
import { hasData } from '../support/data.ts';
import { isLeftOut, requirePeer } from '../support/peers.ts';
import { type Agreement, agreement, type Command } from './version-orders/agreement.ts';
import { secdbVersions, unpackAlpine } from './version-orders/alpine.ts';
import { generatedPairs, osvVersions, type Pair, realPairs } from './version-orders/pairs.ts';
import { REFERENCES } from './version-orders/references.ts';
import { addRow, table } from './version-orders/table.ts';

const ENOUGH = 10_000;
afterAll(() => process.stdout.write(table()));

/** The same order in every pair that both take; nothing that only one takes but what is known to be so. */
function expectAgreement(found: Agreement, onlyOurs: readonly RegExp[] = [], onlyTheirs: readonly RegExp[] = []): void {
  expect(found.differ.slice(0, 20)).toEqual([]);
  expect(unexplained(found.onlyWe, onlyOurs), 'taken by us only').toEqual([]);
  expect(unexplained(found.onlyThey, onlyTheirs), 'taken by the reference only').toEqual([]);
}

function unexplained(pairs: readonly Pair[], forms: readonly RegExp[]): readonly Pair[] {
  return pairs.filter((pair) => !pair.some((version) => forms.some((form) => form.test(version)))).slice(0, 20);
}

function outputOf([program, ...args]: Command): string {
  return execFileSync(program, args, { encoding: 'utf8' }).trim();
}

for (const reference of REFERENCES) {
  const { scheme, name, program, version, generated, ecosystems, exact, onlyOurs, onlyTheirs } = reference;

  describe.skipIf(isLeftOut(program))(`the order of ${scheme} versions`, () => {
    it(`is that of ${name}`, { timeout: 1_200_000 }, async () => {
      requirePeer(program);
      const madeUp = generatedPairs(generated, exact !== true);
      const fromMadeUp = await agreement(scheme, madeUp, reference.command());
      const real = hasData && ecosystems.length > 0 ? realPairs(osvVersions(ecosystems)) : undefined;
      const fromReal = real && (await agreement(scheme, real, reference.command()));
      addRow(scheme, `${name} ${typeof version === 'string' ? version : outputOf(version)}`, fromMadeUp, fromReal);
      expectAgreement(fromMadeUp, onlyOurs, onlyTheirs);
      if (fromReal) expectAgreement(fromReal, onlyOurs, onlyTheirs);
      expect(madeUp.length).toBe(ENOUGH);
      expect(fromMadeUp.agree).toBeGreaterThan(ENOUGH / 2);
      if (real) expect(real.length).toBeGreaterThanOrEqual(ENOUGH);
    });
  });
}

describe.skipIf(!hasData || isLeftOut('chroot'))('the order of apk versions', () => {
  const root = mkdtempSync(join(tmpdir(), 'breakwater-versions-'));
  const apk = (script: string): Command => ['chroot', root, '/bin/sh', '-c', script];
  beforeAll(() => unpackAlpine(root));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** apk prints the versions it does not take, and fails when there are any. */
  const refused = (versions: readonly string[]): readonly string[] => {
    writeFileSync(join(root, 'versions'), `${versions.join('\n')}\n`);
    return outputOf(apk('xargs -n 200 apk version -c < /versions || true')).split('\n').filter(Boolean);
  };

  it('is that of apk version -t', { timeout: 1_200_000 }, async () => {
    const compare = apk('while read -r a b; do apk version -t "$a" "$b"; done');
    const madeUp = generatedPairs(ARBITRARY_VERSIONS.apk, false);
    // It orders what it takes for no version too, which says nothing.
    const invalid = new Set(refused([...new Set(secdbVersions().flat())]));
    const real = realPairs(secdbVersions().map((versions) => versions.filter((version) => !invalid.has(version))));
    const [fromMadeUp, fromReal] = [await agreement('apk', madeUp, compare), await agreement('apk', real, compare)];
    addRow('apk', outputOf(apk('apk --version')).split(',')[0] ?? '', fromMadeUp, fromReal);
    expectAgreement(fromMadeUp);
    expectAgreement(fromReal);
  });

  it.each([
    ['that advisories name', () => secdbVersions().flat()],
    ['that are made up', () => generatedPairs(ARBITRARY_VERSIONS.apk, true).flat()],
  ])('takes for versions what the real apk takes for some, of those %s', (_, versions) => {
    // It takes a revision without its number, too, and texts that begin with a dot.
    const all = [...new Set(versions())].filter((version) => /^\d/.test(version) && !version.endsWith('-r'));
    expect(all.length).toBeGreaterThan(3000);
    const ours = all.filter((version) => compareVersions('apk', version, version) === undefined);
    expect(ours.sort()).toEqual([...refused(all)].sort());
  });
});
