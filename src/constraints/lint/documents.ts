import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';
import { isRecord } from '../../platform/json-object.ts';
import type { FieldPath } from './finding.ts';

/** Lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One object of a file of manifests. */
export interface ManifestObject {
  readonly object: unknown;
  /** Where a field stands; the nearest one above it that is there when it is missing. */
  positionOf(path: FieldPath): Position;
}

export interface Manifests {
  readonly objects: readonly ManifestObject[];
  /** What is no YAML, with its place; those documents are left out. */
  readonly problems: readonly { readonly message: string; readonly position: Position }[];
}

/** Reads YAML or JSON documents; the items of a `List` are objects of their own. Never throws. */
export function readManifests(text: string): Manifests {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, logLevel: 'error' });
  const objects: ManifestObject[] = [];
  const problems: Manifests['problems'][number][] = [];
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  for (const document of Array.isArray(documents) ? documents : []) {
    const [error] = document.errors;
    if (error !== undefined) {
      problems.push({ message: firstLine(error.message), position: at(error.pos[0]) });
      continue;
    }
    try {
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      objects.push(...unfold(document, value, at));
    } catch (error) {
      const message = error instanceof Error ? firstLine(error.message) : String(error);
      problems.push({ message, position: at(document.range[0]) });
    }
  }
  return { objects, problems };
}

function unfold(document: Document, value: unknown, at: (offset: number) => Position): ManifestObject[] {
  if (value === null || value === undefined) return [];
  const prefixes: { readonly object: unknown; readonly prefix: FieldPath }[] =
    isRecord(value) && value['kind'] === 'List' && Array.isArray(value['items'])
      ? value['items'].map((object: unknown, index) => ({ object, prefix: ['items', index] }))
      : [{ object: value, prefix: [] }];
  return prefixes.map(({ object, prefix }) => ({
    object,
    positionOf: (path) => at(offsetOf(document, [...prefix, ...path])),
  }));
}

/** For a field the place of its name, for an entry of a list its own. */
function offsetOf(document: Document, path: FieldPath): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    const whole: Node | undefined = isAlias(node) ? node.resolve(document) : isNode(node) ? node : undefined;
    if (isMap(whole)) {
      const pair = whole.items.find(({ key }) => (isScalar(key) ? key.value === step : key === step));
      if (pair === undefined) return offset;
      offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isSeq(whole) && typeof step === 'number') {
      const item = whole.items[step];
      if (item === undefined) return offset;
      offset = isNode(item) ? (item.range?.[0] ?? offset) : offset;
      node = item;
    } else return offset;
  }
  return offset;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
