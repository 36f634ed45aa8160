import type { ApiDeps } from '../api/index.ts';
import { evidenceToJson } from '../evidence/document.ts';
import { exportEvidence, recordExport } from '../evidence/export.ts';
import { renderEvidenceHtml } from '../evidence/html.ts';
import { VERSION } from '../platform/version.ts';
import type { Services } from './services.ts';

/** Makes evidence files and records who was given them. `hosts` are the names of this registry in image references. */
export function createEvidenceFiles(services: Services, hosts: readonly string[]): ApiDeps['exportEvidence'] {
  return async ({ by, format, from, to }) => {
    const [name = 'breakwater'] = hosts;
    const installation = { name, hosts, software: `breakwater ${VERSION}` };
    const document = await exportEvidence({ ...services, installation }, { from, to });
    await recordExport(services.ledger, by, document);
    return format === 'html' ? renderEvidenceHtml(document) : evidenceToJson(document);
  };
}
