import { messageOf } from '../../../platform/errors.ts';
import { isRecord } from '../../../platform/json-object.ts';
import { type FeedRecord, problem } from '../advisory.ts';
import { createDocumentParts, type DocumentParts } from './document.ts';
import { CSAF_FEED } from './vulnerability.ts';

/** Deeper nesting of branches than any real product tree has. */
const MAX_DEPTH = 32;

type Fields = Readonly<Record<string, unknown>>;

/** Facts of the JSON text of one CSAF document; one that cannot be understood gives a `problem` only. */
export function parseCsafDocument(json: string, name: string): FeedRecord {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return rejected(name, messageOf(error));
  }
  const { document, product_tree: tree, vulnerabilities } = fieldsOf(value);
  const { tracking, csaf_version: version } = fieldsOf(document);
  if (typeof version !== 'string') return rejected(name, 'is no CSAF document');
  const parts = createDocumentParts(name);
  const { id, current_release_date: date } = fieldsOf(tracking);
  parts.tracking(id, date);
  const { branches, full_product_names: products, relationships } = fieldsOf(tree);
  for (const branch of listOf(branches)) walkBranch(branch, parts, 1);
  for (const product of listOf(products)) parts.product(product);
  for (const relationship of listOf(relationships)) parts.relationship(relationship);
  for (const vulnerability of listOf(vulnerabilities)) walkVulnerability(fieldsOf(vulnerability), parts);
  return parts.record();
}

/** A record that says only why a document gives nothing. */
export function rejected(name: string, detail: string): FeedRecord {
  return { facts: [problem('malformed-record', name, detail)], feed: CSAF_FEED, ecosystems: [] };
}

function walkBranch(value: unknown, parts: DocumentParts, depth: number): void {
  const { product, branches } = fieldsOf(value);
  if (product !== undefined) parts.product(product);
  if (depth < MAX_DEPTH) for (const branch of listOf(branches)) walkBranch(branch, parts, depth + 1);
}

function walkVulnerability(vulnerability: Fields, parts: DocumentParts): void {
  parts.startVulnerability();
  parts.cve(vulnerability['cve']);
  parts.published(vulnerability['release_date']);
  for (const [kind, ids] of Object.entries(fieldsOf(vulnerability['product_status']))) {
    for (const id of listOf(ids)) parts.status(kind, id);
  }
  for (const remediation of listOf(vulnerability['remediations'])) parts.remediation(remediation);
  for (const threat of listOf(vulnerability['threats'])) parts.threat(threat);
  for (const score of listOf(vulnerability['scores'])) parts.score(score);
  parts.endVulnerability();
}

function fieldsOf(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
