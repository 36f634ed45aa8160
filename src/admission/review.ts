import { type EvaluateDeps, type EvaluatedLine, evaluate } from '../constraints/evaluate.ts';
import { pluralOf } from '../constraints/kinds/kinds.ts';
import { linePrefix } from '../constraints/messages.ts';
import type { Rules } from '../constraints/rules.ts';
import { byBadness, type DecidedLine, decideLine } from './decide-line.ts';
import { inGatekeepersOrder } from './gatekeepers-order.ts';
import type { AdmissionRequest, ReviewVersion } from './parse-review.ts';
import { remember } from './remember.ts';
import type { ReviewMemory } from './review-memory.ts';
import { situationOf } from './situation.ts';
import { boundWarnings, type Warning } from './warnings.ts';

export type { AdmissionRequest } from './parse-review.ts';

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
  readonly status?: { readonly code: number; readonly reason?: string; readonly message?: string };
}

export interface AdmissionReviewReply<Response extends { readonly uid: string } = AdmissionResponse> {
  readonly apiVersion: ReviewVersion;
  readonly kind: 'AdmissionReview';
  readonly response: Response;
}

export interface ReviewDeps extends EvaluateDeps {
  /** Absent: nobody is known to live, nobody may break the glass, and nothing is remembered. */
  readonly memory?: ReviewMemory;
}

const MOST_DENIALS = 50;
/** The one subresource through which an image comes into a pod. */
const EPHEMERAL = 'ephemeralcontainers';

/** Wraps a response as the API server expects it: in the version it asked in. */
export function asReview<Response extends { readonly uid: string }>(
  response: Response,
  apiVersion: ReviewVersion = 'admission.k8s.io/v1',
): AdmissionReviewReply<Response> {
  return { apiVersion, kind: 'AdmissionReview', response };
}

/**
 * Decides an admission request under the rules in force, from local data alone, and remembers what later decisions build
 * on. Denied = 403 Forbidden with one message a line; everything else that was found rides along as warnings, worst first.
 * `notes` are further warnings for whoever applies the object. Throws `EvaluationError` and `ExpansionError` where the
 * rules cannot be applied: that is neither yes nor no, and the failure policy decides.
 */
export function review(
  deps: ReviewDeps,
  rules: Rules,
  request: AdmissionRequest,
  notes: readonly string[] = [],
): AdmissionResponse {
  const { object, oldObject, operation, namespace = '', subResource = '', uid } = request;
  const brings =
    (operation === 'CREATE' || operation === 'UPDATE') && (subResource === '' || subResource === EPHEMERAL);
  if (!brings || !object || rules.exempt(namespace, 'webhook')) return { uid, allowed: true };
  const situation = situationOf(deps, rules, request);
  const lines = evaluate(deps, rules, 'validation.gatekeeper.sh', {
    object,
    ...(oldObject ? { oldObject } : {}),
    ...(request.namespace === undefined ? {} : { namespace }),
    brings: (image) => situation.brings(image),
  });
  if (lines.length === 0 && notes.length === 0) {
    if (deps.memory) remember(deps.memory, situation, [], true);
    return { uid, allowed: true };
  }
  const decided: DecidedLine[] = [];
  for (const line of inGatekeepersOrder(lines)) decided.push(...decideLine(situation, line));
  const denied = decided.filter(({ taken }) => taken === 'denied');
  if (deps.memory) remember(deps.memory, situation, decided, denied.length === 0);
  const refused = denied.length === 0 ? undefined : situation.glass().refused;
  const warnings = warningsFor(decided, refused, notes);
  const base = warnings.length === 0 ? { uid } : { uid, warnings };
  if (denied.length === 0) {
    return { ...base, allowed: true, ...(warnings.length === 0 ? {} : { status: { code: 299 } }) };
  }
  return { ...base, allowed: false, status: { code: 403, reason: 'Forbidden', message: denialText(denied, refused) } };
}

/** What was found beside the denials, the worst first. */
function warningsFor(decided: readonly DecidedLine[], refused: string | undefined, notes: readonly string[]): string[] {
  const told = decided.filter(({ taken }) => taken !== 'denied' && taken !== 'dryrun');
  if (told.length === 0 && refused === undefined && notes.length === 0) return [];
  return boundWarnings([
    ...(refused === undefined ? [] : [{ text: refused }]),
    ...told.sort(byBadness).flatMap(warningsOf),
    ...notes.map((text) => ({ text })),
  ]);
}

/** One line for each thing that is denied, each once. What must be exactly Gatekeeper's is neither counted nor left out. */
function denialText(denied: readonly DecidedLine[], refused: string | undefined): string {
  const [first] = denied;
  if (first !== undefined && denied.length === 1 && refused === undefined) return denialLine(first);
  const exact: string[] = [];
  const own = new Map<string, number>();
  for (const one of denied) {
    if (isExact(one.line)) exact.push(denialLine(one));
    else own.set(denialLine(one), one.line.excess ?? 1);
  }
  const texts = [...exact, ...[...own.keys()].slice(0, MOST_DENIALS)];
  const rest = [...own.values()].slice(MOST_DENIALS).reduce((sum, one) => sum + one, 0);
  const glass = refused === undefined || own.size === 0 ? [] : [refused];
  return [...texts, ...(rest > 0 ? [`and ${rest} more`] : []), ...glass].join('\n');
}

function denialLine({ line, text }: DecidedLine): string {
  const sentence = `${linePrefix(line.constraint.options.style, line.constraint.name, true)}${text}`;
  return line.hint === undefined || isExact(line) ? sentence : `${sentence}\n${line.hint}`;
}

/** The warnings of one finding: the sentence, and where to get the image instead. */
function warningsOf({ line, text }: DecidedLine): Warning[] {
  const { name, kind } = line.constraint;
  const constraint = { name, plural: pluralOf(kind) };
  const sentence: Warning = { constraint, text, exact: isExact(line), stands: line.excess ?? 1 };
  return line.hint === undefined ? [sentence] : [sentence, { constraint, text: line.hint }];
}

function isExact({ constraint }: EvaluatedLine): boolean {
  return constraint.options.compat;
}
