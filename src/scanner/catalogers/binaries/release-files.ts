import type { StatedPackage } from '../../model.ts';
import type { Cataloger } from '../types.ts';

/** A runtime that says in a small file which version it is. */
interface ReleaseFile {
  readonly name: string;
  readonly path: RegExp;
  /** The first group is the version. */
  readonly content: RegExp;
}

const FILES: readonly ReleaseFile[] = [
  // JEP 223; JEP 220 for the file. `1.8.0_392` is called 8.0.392 since.
  { name: 'java', path: /(?:^|\/)release$/, content: /^JAVA_VERSION="?(\d[\w.+-]{0,63})"?\s*$/m },
  { name: 'golang', path: /(?:^|\/)go[^/]*\/VERSION$/, content: /^go(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)\s/ },
  { name: 'erlang', path: /(?:^|\/)releases\/\d+\/OTP_VERSION$/, content: /^(\d+\.\d+(?:\.\d+)*)(?:\*\*)?\s*$/ },
];
const OLD_JAVA = /^1\.(\d+)\.0(?:_(\d+))?(?:-\S*)?$/;

/** Java, Go's toolchain and Erlang as installed from their own archives. */
export const releaseFileCataloger: Cataloger = {
  name: 'release-file',
  role: 'language',
  largest: 64 * 1024,
  wants: (path) => FILES.some((one) => one.path.test(path)),
  catalog(path, file) {
    const text = `${file.bytes().toString('utf8')}\n`;
    return {
      packages: FILES.flatMap((one): readonly StatedPackage[] => {
        const version = one.path.test(path) ? one.content.exec(text)?.[1] : undefined;
        if (version === undefined) return [];
        return [{ type: 'generic', name: one.name, version: one.name === 'java' ? javaVersion(version) : version }];
      }),
    };
  },
};

function javaVersion(text: string): string {
  const [, major, update = '0'] = OLD_JAVA.exec(text) ?? [];
  return major === undefined ? text : `${major}.0.${update}`;
}
