import { canonicalJson } from '../oci/canonical.ts';
import { sayProblems } from '../platform/problems.ts';
import { documentOf, FIELD_PATHS } from '../policy/policy-fields.ts';
import {
  isFieldName,
  layerDocument,
  type PolicyLayer,
  pathsUnder,
  readLayer,
  unknownField,
} from '../policy/policy-layer.ts';
import { ProjectError } from './errors.ts';

/** Changes of single fields; names of groups stand for all in them. */
export interface PolicyEdit {
  /** Values by path. */
  readonly set?: Readonly<Record<string, unknown>> | undefined;
  readonly unset?: readonly string[] | undefined;
  /** Of the installation only. */
  readonly lock?: readonly string[] | undefined;
  readonly unlock?: readonly string[] | undefined;
}

/** A document as people write it. Throws `ProjectError('policy_invalid')` that names what is wrong. */
export function parseLayer(document: unknown): PolicyLayer {
  const read = readLayer(document);
  if ('problems' in read) throw invalid(read.problems);
  return read.layer;
}

/** A layer with single fields changed. Throws `ProjectError('policy_invalid')`. */
export function editLayer(
  layer: PolicyLayer,
  { set = {}, unset = [], lock = [], unlock = [] }: PolicyEdit,
): PolicyLayer {
  const names = [...Object.keys(set), ...unset, ...lock, ...unlock];
  const unknown = names.filter((name) => !isFieldName(name));
  if (unknown.length > 0) throw invalid(sayProblems(unknown, unknownField));
  const fields = new Map(layer.fields);
  for (const path of unset.flatMap(pathsUnder)) fields.delete(path);
  for (const [name, value] of Object.entries(set)) {
    // A group takes a whole object.
    for (const [path, own] of parseLayer(documentOf([[name, value]])).fields) fields.set(path, own);
  }
  const locked = new Set([...layer.locked, ...lock.flatMap(pathsUnder)]);
  for (const path of unlock.flatMap(pathsUnder)) locked.delete(path);
  return parseLayer(layerDocument({ fields, locked }));
}

/**
 * The layer that waits, with what an edit changed of the one in force: the edit is not undone when it comes. What the waiting one
 * itself changes stays as it was announced.
 */
export function carriedOver(before: PolicyLayer, after: PolicyLayer, waiting: PolicyLayer): PolicyLayer {
  const fields = new Map(waiting.fields);
  const locked = new Set(waiting.locked);
  for (const path of FIELD_PATHS) {
    if (isSame(before.fields.get(path), waiting.fields.get(path))) {
      if (after.fields.has(path)) fields.set(path, after.fields.get(path));
      else fields.delete(path);
    }
    if (before.locked.has(path) === waiting.locked.has(path)) {
      if (after.locked.has(path)) locked.add(path);
      else locked.delete(path);
    }
  }
  return { fields, locked };
}

/** True for two values of a field that say the same; undefined says nothing. */
export function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null) && (a === undefined) === (b === undefined);
}

/** The error for a document with these problems. */
export function invalid(problems: string): ProjectError {
  return new ProjectError('policy_invalid', `the policy is not valid: ${problems}`);
}
