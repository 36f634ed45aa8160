import { printableJson } from '../../platform/printable-json.ts';
import { VERSION } from '../../platform/version.ts';
import type { SbomFinding, SbomForm } from '../../scanner/sbom-write/index.ts';
import type { Paper } from './paper.ts';
import type { JudgedScan } from './report.ts';
import type { ScannedTarget } from './scanned-target.ts';
import { setAsideText } from './set-aside-text.ts';

/** What `breakwater scan -o` takes; `table` is another word for `text`. */
export const SCAN_FORMS = ['text', 'table', 'json', 'sarif', 'cyclonedx', 'spdx', 'html'] as const;
export type ScanForm = (typeof SCAN_FORMS)[number];

/** A finished scan and when it was made, epoch ms. */
export interface FinishedScan extends JudgedScan {
  readonly target: ScannedTarget;
  readonly now: number;
}

/** The scan as text in a form. Modules of other forms are not loaded. */
export async function writeScan(form: ScanForm, scan: FinishedScan, paper: Paper): Promise<string> {
  const { report, now } = scan;
  switch (form) {
    case 'json':
      return printableJson(report);
    case 'sarif':
      return printableJson((await import('./sarif.ts')).sarifLog(report, now));
    case 'html':
      return (await import('./html.ts')).scanPage(report, now);
    case 'cyclonedx':
    case 'spdx':
      return billOfMaterials(form, scan);
    default:
      return (await import('./render.ts')).renderScan(report, now, paper);
  }
}

async function billOfMaterials(form: SbomForm, { report, findings, target, now }: FinishedScan): Promise<string> {
  const { writeSbom } = await import('../../scanner/sbom-write/index.ts');
  const { subject, inventory } = target;
  const listed = findings.map((finding, at): SbomFinding => {
    const setAside = report.findings[at]?.setAside;
    return { finding, ...(setAside ? { setAside: setAsideText(setAside) } : {}) };
  });
  return writeSbom(form, { subject, inventory, version: VERSION, now, findings: listed });
}
