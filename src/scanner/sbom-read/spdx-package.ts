import { listOf, memberOf, textOf } from '../foreign-json.ts';
import { type SourcePackage, sourceOfFileName } from './source-package.ts';
import type { SbomItem } from './types.ts';

const NOTHING: ReadonlySet<string> = new Set(['NOASSERTION', 'NONE']);
/** Purposes of what need be no package (SPDX 2.3, 7.24), with either spelling of the dash. */
const OTHERS: ReadonlySet<string> = new Set([
  'APPLICATION',
  'ARCHIVE',
  'CONTAINER',
  'DEVICE',
  'FILE',
  'FIRMWARE',
  'SOURCE',
]);
const FOUND_AT = /^found at (.+?)(?: in layer (\S+))?(?: made by .*)?$/m;
const THIRD_PARTY = /^not built by the distribution$/m;
const SYFT_PLACE = /^acquired package info from [^\n]*?: (\/[^,\n]+)/;
const BUILT_FROM = /^built (?:from|package from:) (\S+) (\S+)$/m;
const TRIVY_LAYER = /^(?:LayerDigest|LayerDiffID): (\S+)/;
const LICENCE_REF = /LicenseRef-[A-Za-z0-9.-]+/g;

/**
 * A package of SPDX 2.2 or 2.3, in the shape of the JSON form. Beyond the standard the sentences that Breakwater, Syft and
 * Trivy write into `sourceInfo` and annotations are understood. `licences` gives texts of `LicenseRef-` identifiers.
 */
export function itemOfSpdxPackage(
  value: unknown,
  subjects: ReadonlySet<string>,
  licences: ReadonlyMap<string, string>,
): SbomItem {
  const purpose = textOf(memberOf(value, 'primaryPackagePurpose'))?.replace('-', '_');
  const sourceInfo = textOf(memberOf(value, 'sourceInfo')) ?? '';
  const found = FOUND_AT.exec(sourceInfo);
  const trivyLayer = notesOf(value)
    .map((note) => TRIVY_LAYER.exec(note)?.[1])
    .find(Boolean);
  const id = textOf(memberOf(value, 'SPDXID')) ?? '';
  return {
    kind: kindOf(id, purpose),
    subject: subjects.has(id),
    name: asserted(memberOf(value, 'name')),
    version: asserted(memberOf(value, 'versionInfo')),
    description: textOf(memberOf(value, 'description')),
    purl: purlOf(value),
    licence: licenceOf(value, licences),
    path: (found?.[1] ?? SYFT_PLACE.exec(sourceInfo)?.[1])?.replace(/^\/+/, ''),
    layer: found?.[2] ?? trivyLayer,
    source: sourceOf(sourceInfo),
    module: undefined,
    thirdParty: THIRD_PARTY.test(sourceInfo),
  };
}

function kindOf(id: string, purpose: string | undefined): SbomItem['kind'] {
  // Documents of SPDX 2.2 have no purpose; Trivy and Breakwater tell the system in the identifier.
  if (purpose === 'OPERATING_SYSTEM' || id.startsWith('SPDXRef-OperatingSystem')) return 'system';
  return OTHERS.has(purpose ?? '') ? 'other' : 'package';
}

function purlOf(value: unknown): string | undefined {
  return listOf(memberOf(value, 'externalRefs'))
    .filter((reference) => memberOf(reference, 'referenceType') === 'purl')
    .map((reference) => textOf(memberOf(reference, 'referenceLocator')))
    .find(Boolean);
}

function licenceOf(value: unknown, licences: ReadonlyMap<string, string>): string | undefined {
  const text = asserted(memberOf(value, 'licenseDeclared')) ?? asserted(memberOf(value, 'licenseConcluded'));
  return text?.replace(LICENCE_REF, (id) => licences.get(id) ?? id);
}

function notesOf(value: unknown): readonly string[] {
  return [
    ...listOf(memberOf(value, 'attributionTexts')).map(textOf),
    ...listOf(memberOf(value, 'annotations')).map((note) => textOf(memberOf(note, 'comment'))),
  ].flatMap((text) => text ?? []);
}

function sourceOf(sourceInfo: string): SourcePackage | undefined {
  const built = BUILT_FROM.exec(sourceInfo);
  if (built?.[1] !== undefined && built[2] !== undefined) return { name: built[1], version: built[2] };
  return sourceOfFileName(sourceInfo);
}

function asserted(value: unknown): string | undefined {
  const text = textOf(value);
  return text === undefined || NOTHING.has(text) ? undefined : text;
}
