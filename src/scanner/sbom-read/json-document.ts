import { listOf, memberOf, textOf } from '../foreign-json.ts';
import { createSbomCollector, type SbomCollector } from './collect.ts';
import { itemsOfComponent } from './cyclonedx-component.ts';
import { isClosed, type JsonPiece, jsonElements, jsonMembers } from './json-pieces.ts';
import { itemOfSpdxPackage } from './spdx-package.ts';
import type { Sbom } from './types.ts';

const LARGEST_PIECE = 4 * 1024 * 1024;
const MOST_SUBJECTS = 1000;
const MOST_LICENCES = 10_000;

/**
 * Reads an SPDX 2 or CycloneDX document in JSON, also as the predicate of an in-toto statement, signed (DSSE) or not; the
 * signature is not looked at. Only one package at a time is in memory. Undefined when it is none.
 */
export function readJsonDocument(bytes: Buffer): Sbom | undefined {
  return readObject(bytes, { start: 0, end: bytes.length }) ?? readWrapped(bytes, true);
}

function readWrapped(bytes: Buffer, signed: boolean): Sbom | undefined {
  for (const [key, piece] of jsonMembers(bytes, { start: 0, end: bytes.length })) {
    if (key === 'payload' && signed) {
      const payload = Buffer.from(bytes.toString('latin1', piece.start + 1, piece.end - 1), 'base64');
      return readWrapped(payload, false);
    }
    if (key === 'predicate') return readObject(bytes, piece) ?? readMember(bytes, piece, 'Data');
  }
  return undefined;
}

/** Older versions of cosign have the document one step deeper. */
function readMember(bytes: Buffer, piece: JsonPiece, name: string): Sbom | undefined {
  for (const [key, inner] of jsonMembers(bytes, piece)) if (key === name) return readObject(bytes, inner);
  return undefined;
}

function readObject(bytes: Buffer, piece: JsonPiece): Sbom | undefined {
  const members = new Map<string, JsonPiece>();
  for (const [key, value] of jsonMembers(bytes, piece)) if (members.size < 1000) members.set(key, value);
  const document: Document = { bytes, members, collector: createSbomCollector() };
  if (!isClosed(bytes)) document.collector.problem('the document is damaged: its end is missing, or more follows it');
  if (parsed(document, 'bomFormat') === 'CycloneDX') return readCycloneDx(document);
  const version = textOf(parsed(document, 'spdxVersion'));
  return version?.startsWith('SPDX-2.') ? readSpdx(document) : undefined;
}

interface Document {
  readonly bytes: Buffer;
  readonly members: ReadonlyMap<string, JsonPiece>;
  readonly collector: SbomCollector;
}

function readCycloneDx(document: Document): Sbom {
  const { collector } = document;
  const subject = memberOf(parsed(document, 'metadata'), 'component');
  for (const item of itemsOfComponent(subject, true)) collector.add(item);
  for (const component of elements(document, 'components'))
    for (const item of itemsOfComponent(component)) collector.add(item);
  return collector.result('cyclonedx');
}

function readSpdx(document: Document): Sbom {
  const { collector } = document;
  const subjects = subjectsOf(document);
  const licences = new Map<string, string>();
  for (const info of elements(document, 'hasExtractedLicensingInfos')) {
    const id = textOf(memberOf(info, 'licenseId'));
    const text = textOf(memberOf(info, 'name')) ?? textOf(memberOf(info, 'extractedText'));
    if (id !== undefined && text !== undefined && licences.size < MOST_LICENCES) licences.set(id, text.slice(0, 200));
  }
  for (const value of elements(document, 'packages')) collector.add(itemOfSpdxPackage(value, subjects, licences));
  return collector.result('spdx');
}

/** What the document describes (SPDX 2.3, 11.1 DESCRIBES; 2.2 has a list as well). */
function subjectsOf(document: Document): ReadonlySet<string> {
  const subjects = new Set<string>();
  const add = (id: unknown) => {
    const text = textOf(id);
    if (text !== undefined && subjects.size < MOST_SUBJECTS) subjects.add(text);
  };
  for (const id of listOf(parsed(document, 'documentDescribes'))) add(id);
  for (const relation of elements(document, 'relationships'))
    if (memberOf(relation, 'relationshipType') === 'DESCRIBES') add(memberOf(relation, 'relatedSpdxElement'));
  return subjects;
}

function parsed(document: Document, key: string): unknown {
  const piece = document.members.get(key);
  return piece && parsePiece(document, piece);
}

function* elements(document: Document, key: string): Generator {
  const piece = document.members.get(key);
  if (piece) for (const element of jsonElements(document.bytes, piece)) yield parsePiece(document, element);
}

function parsePiece({ bytes, collector }: Document, { start, end }: JsonPiece): unknown {
  if (end - start > LARGEST_PIECE) {
    collector.problem(`a part of ${end - start} bytes is larger than is read`);
    return undefined;
  }
  try {
    return JSON.parse(bytes.toString('utf8', start, end));
  } catch {
    collector.problem('a part of the document is no JSON');
    return undefined;
  }
}
