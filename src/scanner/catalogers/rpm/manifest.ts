import type { FileView } from '../../file-view.ts';
import type { StatedPackage } from '../../model.ts';
import type { Report } from './blob-reader.ts';
import { statedRpm, withEpoch } from './package.ts';
import { isThirdParty } from './third-party.ts';

const COLUMNS = { name: 0, version: 1, vendor: 4, arch: 7, epoch: 8, sourceRpm: 9 } as const;
const WORD = /^[^\s\p{C}]{1,256}$/u;
const MOST_LINES = 200_000;

/**
 * Reads `container-manifest-2`, which images of Azure Linux without rpm have instead of a database: a line for each package,
 * with ten columns parted by tabs (name, version-release, two times, vendor, epoch or `(none)`, size, architecture, epoch as
 * a number, source).
 */
export function* readManifest(file: FileView, report: Report): Generator<StatedPackage> {
  for (const [at, line] of file.bytes().toString('utf8').split('\n').entries()) {
    if (line.trim() === '') continue;
    if (at >= MOST_LINES) return report(`it has more than ${MOST_LINES} lines; the rest is not read`);
    const cells = line.trimEnd().split('\t', 10);
    const [name = '', version = ''] = [cells[COLUMNS.name], cells[COLUMNS.version]];
    if (!WORD.test(name) || !WORD.test(version) || !version.includes('-')) {
      report(`line ${at + 1}: it names no package with a version`);
      continue;
    }
    const epoch = Number.parseInt(cells[COLUMNS.epoch] ?? '', 10);
    yield statedRpm({
      name,
      version: withEpoch(version, Number.isSafeInteger(epoch) && epoch > 0 ? epoch : undefined),
      arch: cells[COLUMNS.arch],
      sourceRpm: cells[COLUMNS.sourceRpm],
      thirdParty: isThirdParty(cells[COLUMNS.vendor] ?? '', version),
    });
  }
}
