import { printableJson } from '../../platform/printable-json.ts';
import { cycloneDxBom } from './cyclonedx.ts';
import type { SbomForm, SbomInput } from './input.ts';
import { spdxDocument } from './spdx.ts';

export type { SbomFinding, SbomForm, SbomInput, SbomSubject } from './input.ts';

/** A bill of materials as a JSON value: SPDX 2.3 or CycloneDX 1.6. */
export function sbomDocument(form: SbomForm, input: SbomInput): object {
  return form === 'spdx' ? spdxDocument(input) : cycloneDxBom(input);
}

/** The same as text. */
export function writeSbom(form: SbomForm, input: SbomInput): string {
  return printableJson(sbomDocument(form, input));
}
