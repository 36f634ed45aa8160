import { z } from 'zod';
import { canonicalHash } from '../oci/canonical.ts';
import { type Line, lineSchemas, SECTION_NAMES, type SectionName, timeSchema } from './lines.ts';

export const FORMAT = 'breakwater-evidence';
export const FORMAT_VERSION = 1;
/** Most that the lines of one document may hold together, in characters of JSON. */
export const LARGEST_DOCUMENT = 96 * 1024 * 1024;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'not a SHA-256 digest');
const anchor = z.strictObject({ seq: z.int().min(0), hash: z.string() });

const headerShape = {
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  installation: z.strictObject({
    /** What people call it. */
    name: z.string(),
    /** Host names under which its registry is known. */
    hosts: z.array(z.string()),
    software: z.string(),
  }),
  period: z.strictObject({ from: timeSchema, to: timeSchema }),
  exportedAt: timeSchema,
  /** Version and date of the advisory database in use; absent when there was none. */
  advisories: z.strictObject({ version: z.string(), builtAt: z.string() }).optional(),
  /** Where the lines of the audit log in this document stand in the whole log. */
  chain: z.strictObject({
    /** The line in front of the first one here; number 0 and no hash when there is none. */
    before: anchor,
    /** The last line here; the same as `before` when there is none. */
    last: anchor,
    /** The line after the last one here, and the hash it names for the line before it; absent when there is none. */
    after: z.strictObject({ seq: z.int().min(1), previousHash: z.string() }).optional(),
    /** The newest line of the whole log at the time of export. */
    head: anchor,
    /** What the server found when it checked every line from the first to `head`; the line is the first that does not fit. */
    checked: z.strictObject({ lines: z.int().min(0), fault: z.int().min(1).optional() }),
  }),
} as const;

const sealSchema = z.strictObject({
  /** SHA-256 over the canonical JSON of `lines`. */
  digest,
  /** SHA-256 over the canonical JSON of each line of the section. */
  lines: z.array(digest),
});

function forEachSection<Value>(make: (name: SectionName) => Value): Record<SectionName, Value> {
  return Object.fromEntries(SECTION_NAMES.map((name) => [name, make(name)])) as Record<SectionName, Value>;
}

const sectionsSchema = z.strictObject(
  forEachSection((name) => z.array(lineSchemas[name] as z.ZodType)) as unknown as {
    [Name in SectionName]: z.ZodArray<(typeof lineSchemas)[Name]>;
  },
);

const sealsSchema = z.strictObject({
  /** SHA-256 over the canonical JSON of each member that is neither section nor seal. */
  header: z.record(z.string(), digest),
  sections: z.strictObject(forEachSection(() => sealSchema)),
  /** SHA-256 over the canonical JSON of the header's digests and the digest of every section: stands for the whole document. */
  document: digest,
});

/** The whole document, as `exportEvidence` makes it. */
export const evidenceSchema = z.strictObject({ ...headerShape, sections: sectionsSchema, seals: sealsSchema });

/** What a check needs before it looks at single lines: everything but the inside of the lines. */
export const envelopeSchema = z.strictObject({
  ...headerShape,
  sections: z.strictObject(forEachSection(() => z.array(z.unknown()))),
  seals: sealsSchema,
});

export type EvidenceDocument = z.infer<typeof evidenceSchema>;
export type EvidenceEnvelope = z.infer<typeof envelopeSchema>;
export type EvidenceSections = EvidenceDocument['sections'];
export type EvidenceHeader = Omit<EvidenceDocument, 'sections' | 'seals'>;
export type Seals = EvidenceDocument['seals'];

/** The header of a document: all of it but sections and seals. */
export function headerOf({ sections: _sections, seals: _seals, ...header }: EvidenceEnvelope): EvidenceHeader {
  return header;
}

/** Digest of a section from the digests of its lines. */
export function sectionDigest(lines: readonly string[]): string {
  return canonicalHash(lines);
}

/** Digest of a document from the digests of its parts. */
export function documentDigest(seals: Omit<Seals, 'document'>): string {
  return canonicalHash({
    header: seals.header,
    sections: Object.fromEntries(SECTION_NAMES.map((name) => [name, seals.sections[name].digest])),
  });
}

/** Digest of each member of a header. */
export function headerSeals(header: EvidenceHeader): Record<string, string> {
  return Object.fromEntries(Object.entries(header).map(([name, value]) => [name, canonicalHash(value)]));
}

/** Puts the seals on: a digest for each line, each section, the header and the whole. */
export function sealDocument(header: EvidenceHeader, sections: EvidenceSections): EvidenceDocument {
  const seals = {
    header: headerSeals(header),
    sections: forEachSection((name) => {
      const lines = (sections[name] as readonly Line<SectionName>[]).map(canonicalHash);
      return { digest: sectionDigest(lines), lines };
    }),
  };
  return { ...header, sections, seals: { ...seals, document: documentDigest(seals) } };
}

/** The document as JSON text, a line of the file for each line of a section. */
export function evidenceToJson(document: EvidenceDocument): string {
  const header = Object.entries(headerOf(document)).map(
    ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  const sections = SECTION_NAMES.map((name) => `${JSON.stringify(name)}: ${listOf(document.sections[name])}`);
  const { sections: seals, ...rest } = document.seals;
  const sealed = SECTION_NAMES.map((name) => `${JSON.stringify(name)}: ${JSON.stringify(seals[name])}`);
  return [
    `{\n${header.join(',\n')},`,
    `"sections": {\n${sections.join(',\n')}\n},`,
    `"seals": {\n"header": ${JSON.stringify(rest.header)},\n"sections": {\n${sealed.join(',\n')}\n},`,
    `"document": ${JSON.stringify(rest.document)}\n}\n}\n`,
  ].join('\n');
}

function listOf(lines: readonly unknown[]): string {
  return lines.length === 0 ? '[]' : `[\n${lines.map((line) => JSON.stringify(line)).join(',\n')}\n]`;
}
