import { listOf, memberOf, textOf } from '../foreign-json.ts';
import { createSbomCollector, type SbomCollector } from './collect.ts';
import { itemsOfComponent } from './cyclonedx-component.ts';
import { bytesOfMemory, type DocumentBytes } from './document-bytes.ts';
import { isClosed, type JsonPiece, jsonElements, jsonMembers } from './json-pieces.ts';
import { itemOfSpdxPackage } from './spdx-package.ts';
import type { RefusedSbom, Sbom } from './types.ts';

const LARGEST_PIECE = 4 * 1024 * 1024;
const MOST_SUBJECTS = 1000;
const MOST_LICENCES = 10_000;
const LONGEST_SHOWN = 40;

/** Members that are read; a document that has one of them twice says different things to different readers. */
const READ: ReadonlySet<string> = new Set([
  'bomFormat',
  'metadata',
  'components',
  'spdxVersion',
  '@context',
  'documentDescribes',
  'relationships',
  'hasExtractedLicensingInfos',
  'packages',
  'payload',
  'predicate',
]);
const LARGEST_PAYLOAD = 64 * 1024 * 1024;

type Members = ReadonlyMap<string, JsonPiece>;

/**
 * Reads an SPDX 2 or CycloneDX document in JSON, also as the predicate of an in-toto statement, signed (DSSE) or not; the
 * signature is not looked at. Only one package at a time is in memory.
 */
export function readJsonDocument(bytes: DocumentBytes): Sbom | RefusedSbom {
  const whole = { start: 0, end: bytes.length };
  const members = membersOf(bytes, whole);
  if ('refused' in members) return members;
  return readBom(bytes, members) ?? readWrapped(bytes, members) ?? { refused: strangerOf(bytes, members) };
}

function readWrapped(bytes: DocumentBytes, members: Members): Sbom | RefusedSbom | undefined {
  const payload = members.get('payload');
  if (payload) return readPayload(bytes, payload);
  const predicate = members.get('predicate');
  return predicate && readPredicate(bytes, predicate);
}

function readPayload(bytes: DocumentBytes, { start, end }: JsonPiece): Sbom | RefusedSbom | undefined {
  if (end - start > LARGEST_PAYLOAD) return { refused: `its payload has ${end - start} bytes, more than is read` };
  const payload = bytesOfMemory(Buffer.from(bytes.slice(start + 1, end - 1).toString('latin1'), 'base64'));
  const members = membersOf(payload, { start: 0, end: payload.length });
  if ('refused' in members) return members;
  const predicate = members.get('predicate');
  return predicate && readPredicate(payload, predicate);
}

/** Older versions of cosign have the document one step deeper. */
function readPredicate(bytes: DocumentBytes, predicate: JsonPiece): Sbom | RefusedSbom | undefined {
  const members = membersOf(bytes, predicate);
  if ('refused' in members) return members;
  const data = [...jsonMembers(bytes, predicate)].find(([key]) => key === 'Data')?.[1];
  const inner = data ? membersOf(bytes, data) : members;
  return 'refused' in inner ? inner : (readBom(bytes, members) ?? readBom(bytes, inner));
}

function membersOf(bytes: DocumentBytes, piece: JsonPiece): Members | RefusedSbom {
  const members = new Map<string, JsonPiece>();
  for (const [key, value] of jsonMembers(bytes, piece)) {
    if (!READ.has(key)) continue;
    if (members.has(key)) return { refused: `it has the member "${key}" twice` };
    members.set(key, value);
  }
  return members;
}

function readBom(bytes: DocumentBytes, members: Members): Sbom | undefined {
  const document: Document = { bytes, members, collector: createSbomCollector() };
  if (!isClosed(bytes)) document.collector.problem('the document is damaged: its end is missing, or more follows it');
  if (parsed(document, 'bomFormat') === 'CycloneDX') return readCycloneDx(document);
  const version = textOf(parsed(document, 'spdxVersion'));
  return version?.startsWith('SPDX-2.') ? readSpdx(document) : undefined;
}

/** What a document is that is neither. */
function strangerOf(bytes: DocumentBytes, members: Members): string {
  const text = (key: string): string => {
    const { start, end } = members.get(key) ?? { start: 0, end: 0 };
    return bytes
      .slice(start, Math.min(end, start + LONGEST_SHOWN))
      .toString('utf8')
      .toWellFormed();
  };
  if (members.has('spdxVersion')) return `its spdxVersion is ${text('spdxVersion')}, which is not read`;
  if (text('@context').includes('spdx.org/rdf/3')) return 'it is SPDX 3, which is not read';
  if (members.has('bomFormat')) return `its bomFormat is ${text('bomFormat')}, not "CycloneDX"`;
  const broken = isClosed(bytes) ? '' : ', and it is damaged: its end is missing, or more follows it';
  return `it is JSON with neither bomFormat nor spdxVersion${broken}`;
}

interface Document {
  readonly bytes: DocumentBytes;
  readonly members: Members;
  readonly collector: SbomCollector;
}

function readCycloneDx(document: Document): Sbom {
  const { collector } = document;
  const subject = memberOf(parsed(document, 'metadata'), 'component');
  for (const item of itemsOfComponent(subject, collector, true)) collector.add(item);
  for (const component of elements(document, 'components'))
    for (const item of itemsOfComponent(component, collector)) collector.add(item);
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
    return JSON.parse(bytes.slice(start, end).toString('utf8'));
  } catch {
    collector.problem('a part of the document is no JSON');
    return undefined;
  }
}
