import { createSbomCollector } from './collect.ts';
import type { DocumentBytes } from './document-bytes.ts';
import { itemOfSpdxPackage } from './spdx-package.ts';
import type { Sbom } from './types.ts';

const TAG = /^([A-Za-z][A-Za-z0-9]*):[ \t]*(.*)$/;
const PURL = /^PACKAGE[-_]MANAGER[ \t]+purl[ \t]+(\S+)/;
const DESCRIBES = /^SPDXRef-DOCUMENT[ \t]+DESCRIBES[ \t]+(\S+)/;
const OPEN = '<text>';
const CLOSE = '</text>';
const LONGEST_TEXT = 64 * 1024;
const MOST_SUBJECTS = 1000;
const MOST_LICENCES = 10_000;

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

/**
 * Reads an SPDX 2 document in the tag-value form (SPDX 2.3, 5.2 and annex for the syntax): once for what packages refer to,
 * which may stand behind them, once for the packages. One of them at a time is in memory.
 */
export function readTagValue(bytes: DocumentBytes): Sbom {
  const collector = createSbomCollector();
  const { subjects, licences } = readReferences(bytes);
  for (const value of readPackages(bytes)) collector.add(itemOfSpdxPackage(value, subjects, licences));
  return collector.result('spdx');
}

/** What the document is about, and texts of its own licences. */
function readReferences(bytes: DocumentBytes) {
  const subjects = new Set<string>();
  const licences = new Map<string, string>();
  let licence = '';
  for (const [tag, value] of readTags(bytes)) {
    if (tag === 'LicenseID') licence = value;
    else if (tag === 'LicenseName' && licences.size < MOST_LICENCES) licences.set(licence, value.slice(0, 200));
    else if (tag === 'Relationship' && subjects.size < MOST_SUBJECTS) {
      const subject = DESCRIBES.exec(value)?.[1];
      if (subject !== undefined) subjects.add(subject);
    }
  }
  return { subjects, licences };
}

/** Packages in the shape of the JSON form. */
function* readPackages(bytes: DocumentBytes): Generator<Record<string, unknown>> {
  let current: Record<string, unknown> | undefined;
  for (const [tag, value] of readTags(bytes)) {
    if (tag === 'PackageName') {
      if (current) yield current;
      current = { name: value };
    } else if (SECTIONS.has(tag)) {
      if (current) yield current;
      current = undefined;
    } else if (current && tag === 'ExternalRef') {
      const purl = PURL.exec(value)?.[1];
      if (purl !== undefined) current['externalRefs'] ??= [{ referenceType: 'purl', referenceLocator: purl }];
    } else if (current) {
      const name = NAMES.get(tag);
      if (name !== undefined) current[name] ??= value;
    }
  }
  if (current) yield current;
}

/** Tags and values; a value in `<text>` may have many lines. */
function* readTags(bytes: DocumentBytes): Generator<readonly [tag: string, value: string]> {
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const newline = bytes.find('\n', start, bytes.length);
    const end = newline < 0 ? bytes.length : newline;
    at = end + 1;
    const line = bytes
      .slice(start, Math.min(end, start + LONGEST_TEXT))
      .toString('utf8')
      .trimEnd();
    const [, tag, value] = TAG.exec(line) ?? [];
    if (tag === undefined || value === undefined) continue;
    if (!value.startsWith(OPEN)) {
      yield [tag, value];
      continue;
    }
    const text = bytes.find(OPEN, start, bytes.length) + OPEN.length;
    const close = bytes.find(CLOSE, text, bytes.length);
    if (close < 0) return;
    yield [tag, bytes.slice(text, Math.min(close, text + LONGEST_TEXT)).toString('utf8')];
    at = close + CLOSE.length;
  }
}
