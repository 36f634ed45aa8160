import { createSbomCollector } from './collect.ts';
import { itemOfSpdxPackage } from './spdx-package.ts';
import type { Sbom } from './types.ts';

const TAG = /^([A-Za-z][A-Za-z0-9]*):[ \t]*(.*)$/;
const PURL = /^PACKAGE[-_]MANAGER[ \t]+purl[ \t]+(\S+)/;
const DESCRIBES = /^SPDXRef-DOCUMENT[ \t]+DESCRIBES[ \t]+(\S+)/;
const OPEN = '<text>';
const CLOSE = '</text>';
const LONGEST_TEXT = 64 * 1024;
const MOST_PACKAGES = 500_000;

/** Tags of a package and what they are called in the JSON form. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['SPDXID', 'SPDXID'],
  ['PackageVersion', 'versionInfo'],
  ['PackageLicenseDeclared', 'licenseDeclared'],
  ['PackageLicenseConcluded', 'licenseConcluded'],
  ['PackageSourceInfo', 'sourceInfo'],
  ['PackageDescription', 'description'],
  ['PrimaryPackagePurpose', 'primaryPackagePurpose'],
]);
/** Tags that begin something that is no package. */
const SECTIONS: ReadonlySet<string> = new Set(['FileName', 'SnippetSPDXID', 'LicenseID', 'Reviewer', 'Annotator']);

/** Reads an SPDX 2 document in the tag-value form (SPDX 2.3, 5.2 and annex for the syntax). */
export function readTagValue(bytes: Buffer): Sbom {
  const collector = createSbomCollector();
  const packages: Record<string, unknown>[] = [];
  const subjects = new Set<string>();
  const licences = new Map<string, string>();
  let current: Record<string, unknown> | undefined;
  let licence = '';
  for (const [tag, value] of readTags(bytes)) {
    if (tag === 'PackageName') {
      current = { name: value };
      if (packages.length < MOST_PACKAGES) packages.push(current);
    } else if (tag === 'Relationship') {
      const subject = DESCRIBES.exec(value)?.[1];
      if (subject !== undefined) subjects.add(subject);
    } else if (tag === 'ExternalRef') {
      const purl = PURL.exec(value)?.[1];
      if (purl !== undefined && current)
        current['externalRefs'] ??= [{ referenceType: 'purl', referenceLocator: purl }];
    } else if (tag === 'LicenseName') licences.set(licence, value);
    else if (SECTIONS.has(tag)) {
      current = undefined;
      if (tag === 'LicenseID') licence = value;
    } else {
      const name = NAMES.get(tag);
      if (name !== undefined && current) current[name] ??= value;
    }
  }
  for (const value of packages) collector.add(itemOfSpdxPackage(value, subjects, licences));
  return collector.result('spdx');
}

/** Tags and values; a value in `<text>` may have many lines. */
function* readTags(bytes: Buffer): Generator<readonly [tag: string, value: string]> {
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    at = end + 1;
    const line = bytes.toString('utf8', start, Math.min(end, start + LONGEST_TEXT)).trimEnd();
    const [, tag, value] = TAG.exec(line) ?? [];
    if (tag === undefined || value === undefined) continue;
    if (!value.startsWith(OPEN)) {
      yield [tag, value];
      continue;
    }
    const text = bytes.indexOf(OPEN, start) + OPEN.length;
    const close = bytes.indexOf(CLOSE, text);
    if (close < 0) return;
    yield [tag, bytes.toString('utf8', text, Math.min(close, text + LONGEST_TEXT))];
    at = close + CLOSE.length;
  }
}
