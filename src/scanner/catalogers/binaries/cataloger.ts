import type { Executable } from '../../executables/executable.ts';
import { isExecutable, openExecutable } from '../../executables/open.ts';
import type { FileView } from '../../file-view.ts';
import type { StatedPackage } from '../../model.ts';
import { readGoBuildInfo } from '../go/build-info.ts';
import { packagesOfGo } from '../go/parse-modules.ts';
import { readAuditData } from '../rust/audit-data.ts';
import type { Cataloger } from '../types.ts';
import { classify } from './classify.ts';
import { mayBeExecutable } from './paths.ts';

interface Stated {
  readonly packages: readonly StatedPackage[];
  readonly problems: readonly string[];
}

/** Programs and shared libraries that say what they were built from, or are a runtime that is known by its texts. */
export const binaryCataloger: Cataloger = {
  name: 'binary',
  role: 'language',
  largest: 4 * 1024 ** 3,
  wants: () => false,
  sniff: { mayWant: mayBeExecutable, wants: isExecutable },
  catalog(path, file) {
    const { executables, problems } = openExecutable(file);
    const stated = [
      ...executables.flatMap((one) => [goOf(file, one), readAuditData(file, one) ?? NOTHING]),
      classify(path, file, executables),
    ];
    const all = [...problems, ...stated.flatMap((one) => one.problems)];
    return {
      packages: withoutTwins(stated.flatMap((one) => one.packages)),
      ...(all.length > 0 ? { problems: [...new Set(all)] } : {}),
    };
  },
};

const NOTHING: Stated = { packages: [], problems: [] };

function goOf(file: FileView, executable: Executable): Stated {
  const info = readGoBuildInfo(file, executable);
  if ('absent' in info) return NOTHING;
  return 'problem' in info ? { packages: [], problems: [info.problem] } : packagesOfGo(info);
}

/** Programs for several processors in one file are built from the same things. */
function withoutTwins(packages: readonly StatedPackage[]): readonly StatedPackage[] {
  return [...new Map(packages.map((one) => [JSON.stringify([one.type, one.name, one.version]), one])).values()];
}
