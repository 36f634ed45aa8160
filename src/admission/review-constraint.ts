import { isDeepStrictEqual } from 'node:util';
import { type LintFinding, type LintRule, pathText } from '../constraints/lint/finding.ts';
import { lintConstraint } from '../constraints/lint/lint.ts';
import { matchSchema } from '../constraints/match.ts';
import { OPTION_ANNOTATIONS } from '../constraints/options.ts';
import { unaskedNamespaces } from '../constraints/unasked-namespaces.ts';
import { fieldAt, isRecord } from '../platform/json-object.ts';
import { annotationOf, isBeingDeleted } from './object-fields.ts';
import type { AdmissionRequest, AdmissionResponse } from './review.ts';
import { boundWarnings } from './warnings.ts';

/** Makes a constraint protect nothing while it looks as if it did, or cannot be read at all. */
const REFUSED: ReadonlySet<LintRule> = new Set([
  'shape-invalid',
  'name-too-long',
  'list-missing',
  'entry-empty',
  'action-unknown',
  'selector-invalid',
  'source-unknown',
  'namespaces-dead',
  'kinds-dead',
  'scope-dead',
  'scoped-empty',
  'point-unknown',
]);
/** What Gatekeeper's own webhook refuses; the schema of its definitions refuses more, and so does that of ours. */
const REFUSED_BY_GATEKEEPER: ReadonlySet<LintRule> = new Set(['name-too-long', 'action-unknown', 'point-unknown']);
/** More entries are looked over here and at leisure by the command line: anybody who reaches this address can send a list. */
const MOST_ENTRIES = 1000;
/** Sentences of a refusal. */
const MOST_SENTENCES = 20;

/** What a guard knows about what constraints come to. */
export interface ConstraintSurroundings {
  /** Namespaces that the webhook configuration leaves out. */
  unaskedNamespaces?(): readonly string[];
  /** Why this guard decides without the constraints of the cluster, when it does. */
  readonly unread?: string;
}

/**
 * Decides whether a constraint may be stored. Refused (403, with reason and fix) is what protects nothing although it
 * looks as if it did; what is legal but dangerous is a warning, with a witness image. An update that leaves the rules as
 * they were passes, so that what is stored already can be labelled and deleted. Under `breakwater/compat: gatekeeper` only
 * what Gatekeeper refuses is refused.
 */
export function reviewConstraint(
  request: AdmissionRequest,
  surroundings: ConstraintSurroundings = {},
): AdmissionResponse {
  const { uid, operation, object, oldObject } = request;
  const changes = operation === 'CREATE' || operation === 'UPDATE';
  const linted = changes ? lintConstraint(object, { mostEntries: MOST_ENTRIES }) : undefined;
  if (!changes || !isRecord(object) || linted === undefined || isBeingDeleted(object)) return { uid, allowed: true };
  const compat = annotationOf(object, OPTION_ANNOTATIONS.compat) === 'gatekeeper';
  const refused = compat ? REFUSED_BY_GATEKEEPER : REFUSED;
  const bad = linted.findings.filter(({ rule }) => refused.has(rule));
  const about = `${linted.kind} ${linted.name}`;
  if (bad.length > 0 && !sameRules(object, oldObject)) {
    const sentences = bad.slice(0, MOST_SENTENCES).map((one) => `${about}: ${sentence(one)}`);
    const rest = bad.length - sentences.length;
    const message = [...sentences, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n');
    return { uid, allowed: false, status: { code: 403, reason: 'Forbidden', message } };
  }
  const unasked = unaskedIn(object, surroundings.unaskedNamespaces?.() ?? []);
  const found = compat ? [] : linted.findings.filter(({ severity }) => severity !== 'note');
  const warnings = [
    ...(surroundings.unread === undefined ? [] : [`${about}: ${surroundings.unread}`]),
    ...unasked.map((text) => `${about}: ${text}`),
    ...found.map((one) => `${about}: ${sentence(one)}`),
  ];
  if (warnings.length === 0) return { uid, allowed: true };
  return { uid, allowed: true, warnings: boundWarnings(warnings.map((text) => ({ text }))), status: { code: 299 } };
}

/** Where, what is wrong, and how to mend it. */
function sentence({ path, message, fix }: LintFinding): string {
  return `${pathText(path)}: ${message}${fix === undefined ? '' : `; ${fix}`}`;
}

function unaskedIn(object: unknown, unasked: readonly string[]): string[] {
  const match = matchSchema.safeParse(fieldAt(object, 'spec', 'match') ?? {});
  return match.success ? unaskedNamespaces(match.data, unasked) : [];
}

function sameRules(object: unknown, old: unknown): boolean {
  if (!isRecord(object) || !isRecord(old)) return false;
  return isDeepStrictEqual(object['spec'], old['spec']) && isDeepStrictEqual(optionsOf(object), optionsOf(old));
}

function optionsOf(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const all = fieldAt(object, 'metadata', 'annotations');
  return Object.fromEntries(Object.entries(isRecord(all) ? all : {}).filter(([key]) => key.startsWith('breakwater/')));
}
