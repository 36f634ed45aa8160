import { csafDocument } from './csaf.ts';
import { cycloneDxDocument } from './cyclonedx.ts';
import { openVexDocument } from './openvex.ts';
import type { ExportState } from './state.ts';

export { collectExport, type ExportDeps, type ExportScope } from './collect.ts';
export type { ExportedException } from './said.ts';

export const VEX_FORMS = ['openvex', 'csaf', 'cyclonedx'] as const;
export type VexForm = (typeof VEX_FORMS)[number];

/** Media types, as signatures name what they are over. */
export const VEX_MEDIA_TYPES: Readonly<Record<VexForm, string>> = {
  openvex: 'application/vnd.openvex+json',
  csaf: 'application/csaf+json',
  cyclonedx: 'application/vnd.cyclonedx+json',
};

/** The state as a document of that form. */
export function vexDocument(form: VexForm, state: ExportState): object {
  switch (form) {
    case 'openvex':
      return openVexDocument(state);
    case 'csaf':
      return csafDocument(state);
    case 'cyclonedx':
      return cycloneDxDocument(state);
  }
}
