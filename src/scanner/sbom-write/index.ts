import { printableJson } from '../../platform/printable-json.ts';
import { cycloneDxBom } from './cyclonedx.ts';
import type { SbomInput } from './input.ts';
import { spdxDocument } from './spdx.ts';

export type { SbomFinding, SbomInput, SbomSubject } from './input.ts';

export const SBOM_FORMS = ['spdx', 'cyclonedx'] as const;
export type SbomForm = (typeof SBOM_FORMS)[number];

/** A bill of materials as JSON text: SPDX 2.3 or CycloneDX 1.6. */
export function writeSbom(form: SbomForm, input: SbomInput): string {
  return printableJson(form === 'spdx' ? spdxDocument(input) : cycloneDxBom(input));
}
