import { tryParseReference } from '../../oci/reference.ts';
import type { TrustEntry } from '../../trust/match/entry.ts';
import { type EntryProblem, lintEntry } from '../../trust/match/lint.ts';
import { KIND_DEFINITIONS } from '../kinds/kinds.ts';
import { coveredEntries, firstPositions } from './covered-entries.ts';
import { type FieldPath, finding, type LintFinding } from './finding.ts';
import { patternFindings, tagFindings } from './pattern-findings.ts';
import { rawRepositoryOf, safeEntriesFor } from './raw-entries.ts';
import { loudSpellingOf, neighboursOf, spellingsOf, tryParseEntry } from './spellings.ts';
import { type LintSubject, textsIn } from './subject.ts';
import { type TwoReadings, twoReadings, whereOf } from './two-readings.ts';

const ANYTHING = 'registry.evil.example/x:1';
const PARAMETERS = ['spec', 'parameters'];

/**
 * What is wrong with the lists of a constraint: missing, empty, and entry by entry, as the constraint compares them or as
 * Gatekeeper would. The time it takes grows with the entries, not with their pairs.
 */
export function entryFindings(subject: LintSubject, as?: 'gatekeeper'): LintFinding[] {
  const { kind, parameters } = subject;
  const { list, parameters: fields } = KIND_DEFINITIONS[kind];
  const found: LintFinding[] = [];
  const main = list ?? (kind === 'K8sDisallowedTags' ? 'tags' : undefined);
  if (main !== undefined) found.push(...listFindings(subject, main));
  const readings = twoReadings(subject, as);
  for (const field of fields) {
    const texts = textsIn(parameters, field) ?? [];
    const path = [...PARAMETERS, field];
    found.push(...duplicateFindings(texts, path));
    for (const [at, text] of texts.entries()) found.push(...oneEntry(subject, field, text, [...path, at], readings));
    if (field === 'repos') found.push(...coveredFindings(texts, path, readings));
  }
  if (kind === 'K8sImageDigests') {
    const witness = ['registry.evil.example/x@sha256:1'].find(readings.isWitness);
    const message = 'Gatekeeper takes any text after "@" for a digest, of any length';
    if (witness !== undefined) {
      found.push(
        finding('digest-malformed', ['kind'], message, { fix: 'nothing to change: we ask for whole digests', witness }),
      );
    }
  }
  return found;
}

/** The list a kind lives from. */
function listFindings({ kind, parameters }: LintSubject, list: string): LintFinding[] {
  const texts = textsIn(parameters, list);
  const field = `spec.parameters.${list}`;
  if (texts === undefined) {
    const path = parameters === undefined ? ['spec'] : PARAMETERS;
    const what = kind === 'K8sDisallowedTags' ? 'forbids no tag' : 'checks nothing';
    return [finding('list-missing', path, `${field} is missing: the constraint ${what}`, { fix: `add ${field}` })];
  }
  if (texts.length > 0) return [];
  const what = kind.startsWith('K8sAllowed') ? 'nothing is trusted and every image violates' : 'nothing is forbidden';
  return [
    finding('list-empty', [...PARAMETERS, list], `${field} is empty: ${what}`, {
      fix: `name what you mean in ${field}`,
    }),
  ];
}

function oneEntry(
  subject: LintSubject,
  field: string,
  text: string,
  path: FieldPath,
  readings: TwoReadings,
): LintFinding[] {
  const { kind } = subject;
  if (text === '') {
    const witness = [ANYTHING].find(readings.isWitness);
    const effect =
      field === 'tags' || field === 'exemptImages' || field === 'allowedImages'
        ? 'it matches nothing'
        : kind === 'K8sDisallowedRepos'
          ? 'in Gatekeeper it forbids every image'
          : `${readings.by === 'reference' ? 'it trusts nothing here, and ' : ''}in Gatekeeper it admits every image`;
    return [finding('entry-empty', path, `an empty entry: ${effect}`, { fix: 'remove it', witness })];
  }
  if (field === 'tags') return tagFindings(text, path, readings);
  if (field !== 'repos') return patternFindings(kind, field, text, path, readings);
  return kind === 'K8sDisallowedRepos'
    ? forbiddenFindings(text, path, readings)
    : trustedFindings(text, path, readings);
}

/** An entry of `K8sAllowedRepos`: what it lets through, and what it should let through and does not. */
function trustedFindings(text: string, path: FieldPath, readings: TwoReadings): LintFinding[] {
  const problems = lintEntry(text).map((problem) => asFinding(problem, path));
  if (readings.by === 'reference') return problems;
  const named = tryParseEntry(text);
  const entry = named ?? (readings.isRawHere ? rawRepositoryOf(text) : undefined);
  const witness = neighboursOf(text).filter(isRunnable).find(readings.isWitness);
  if (entry === undefined) {
    const [problem] = problems;
    const message = problem?.message ?? `${JSON.stringify(text)} names no image`;
    return [finding('entry-invalid', path, message, { fix: 'write a registry, a path or an image', witness })];
  }
  const found = named === undefined ? [] : problems;
  if (witness !== undefined) {
    const message = `"${text}" is compared as raw text ${whereOf(readings)} and lets "${witness}" through`;
    found.unshift(finding('entry-bypass', path, message, { fix: bypassFix(entry, readings), witness }));
  }
  const rejected = spellingsOf(entry).filter(isRunnable).find(readings.isRejected);
  if (rejected !== undefined) {
    const message = `"${text}" rejects "${rejected}" ${whereOf(readings)}, which is the same image`;
    found.push(finding('entry-rejects', path, message, { fix: rejectsFix(entry, rejected, readings) }));
  }
  return found;
}

/** What to write in the place of an entry that lets more through than it means; never something that means more. */
function bypassFix(entry: TrustEntry, readings: TwoReadings): string {
  const safe = safeEntriesFor(entry, readings.isRawHere);
  const { registry, path } = entry;
  if (safe === undefined) {
    return `match by reference (our default); as raw text K8sAllowedRepos cannot name one repository: K8sAllowedReposv2 can, with "${registry}/${path}:*" and "${registry}/${path}@*"`;
  }
  const short = entry.scope === 'repository' && !entry.text.includes('/');
  const why = short ? ` ("${entry.text}:" would let "${entry.text}:5000/x" through)` : '';
  return `write ${quoted(safe)}${why}, or match by reference (our default)`;
}

function rejectsFix(entry: TrustEntry, rejected: string, { isRawHere }: TwoReadings): string {
  const byReference = 'match by reference (our default)';
  const safe = safeEntriesFor(entry, isRawHere);
  const helps = safe?.some((one) => rejected.startsWith(one)) ?? false;
  return helps && safe
    ? `${byReference}, or write ${quoted(safe)}`
    : `${byReference}: no beginning of texts names it safely`;
}

/** `"a"`, `"a" and "b"`, `"a", "b" and "c"`. */
function quoted(texts: readonly string[]): string {
  const all = texts.map((text) => `"${text}"`);
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/** An entry of `K8sDisallowedRepos`: other spellings slip through, neighbours are caught by mistake. */
function forbiddenFindings(text: string, path: FieldPath, readings: TwoReadings): LintFinding[] {
  const entry = tryParseEntry(text);
  if (entry === undefined) {
    const message = `${JSON.stringify(text)} names no image; it is compared as the beginning of image texts`;
    return [finding('entry-invalid', path, message, { fix: 'write a registry, a path or an image' })];
  }
  if (readings.by === 'reference') return [];
  const found: LintFinding[] = [];
  const spellings = spellingsOf(entry);
  const witness = [...spellings, ...spellings.map(loudSpellingOf)].filter(isRunnable).find(readings.isWitness);
  if (witness !== undefined) {
    const message = `"${text}" is compared as raw text ${whereOf(readings)} and does not catch "${witness}", which is the same`;
    found.push(
      finding('entry-bypass', path, message, {
        fix: 'match by reference (our default), or list all spellings',
        witness,
      }),
    );
  }
  const caught = neighboursOf(text).filter(isRunnable).find(readings.isRejected);
  if (caught !== undefined) {
    const message = `"${text}" forbids "${caught}" as well ${whereOf(readings)}`;
    found.push(
      finding('entry-rejects', path, message, { fix: `write "${text}/", or match by reference (our default)` }),
    );
  }
  return found;
}

const RULE_OF = {
  invalid: 'entry-invalid',
  bypass: 'entry-bypass',
  ambiguous: 'entry-ambiguous',
  broad: 'entry-broad',
  movable: 'entry-movable',
} as const satisfies Record<EntryProblem['kind'], string>;

function asFinding({ kind, message, safer }: EntryProblem, path: FieldPath): LintFinding {
  return finding(RULE_OF[kind], path, message, { fix: safer === undefined ? undefined : `write "${safer}"` });
}

function duplicateFindings(texts: readonly string[], path: FieldPath): LintFinding[] {
  const positions = firstPositions(texts);
  return texts.flatMap((text, at) => {
    const first = positions.get(text);
    if (first === at || text === '') return [];
    return [finding('entry-duplicate', [...path, at], `"${text}" is entry ${first} already`, { fix: 'remove it' })];
  });
}

function coveredFindings(texts: readonly string[], path: FieldPath, { by: comparison }: TwoReadings): LintFinding[] {
  return coveredEntries(texts, comparison === 'reference' ? 'reference' : 'raw').map(({ at, by }) =>
    finding('entry-covered', [...path, at], `"${texts[at]}" is covered by "${texts[by]}" already`, {
      fix: 'remove one of the two',
    }),
  );
}

function isRunnable(image: string): boolean {
  return tryParseReference(image) !== undefined;
}
