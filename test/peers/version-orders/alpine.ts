import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dataPath } from '../../support/data.ts';

/** Unpacks the newest Alpine root file system of the test data into a folder. Throws without root, which its apk needs. */
export function unpackAlpine(root: string): void {
  if (process.getuid?.() !== 0) {
    throw new Error('the real apk runs in a chroot, which needs root: run as root or set BREAKWATER_LEAVE_OUT=chroot');
  }
  const newest = readdirSync(dataPath('images/alpine'))
    .filter((name) => /-3\.\d+\.\d+-x86_64/.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
  execFileSync('mkdir', ['-p', root]);
  execFileSync('tar', ['-xzf', dataPath('images/alpine', newest ?? ''), '-C', root]);
}

/** The versions of fixed packages in Alpine's security database, by package. */
export function secdbVersions(): readonly (readonly string[])[] {
  return readdirSync(dataPath('secdb')).flatMap((branch) =>
    readdirSync(dataPath('secdb', branch)).flatMap((name) => {
      const file = JSON.parse(readFileSync(dataPath('secdb', branch, name), 'utf8')) as {
        packages: { pkg: { secfixes: Record<string, unknown> } }[];
      };
      return file.packages.map(({ pkg }) => Object.keys(pkg.secfixes));
    }),
  );
}
