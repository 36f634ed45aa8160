import { csafDocument } from './csaf.ts';
import { cycloneDxDocument } from './cyclonedx.ts';
import type { VexForm } from './forms.ts';
import { openVexDocument } from './openvex.ts';
import type { ExportState } from './state.ts';

export { collectExport } from './collect.ts';
export type { ExportedException } from './said.ts';

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
