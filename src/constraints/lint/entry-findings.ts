import { tryParseReference } from '../../oci/reference.ts';
import { type EntryProblem, lintEntry } from '../../trust/match/lint.ts';
import { entryCovers } from '../../trust/match/matcher.ts';
import { KIND_DEFINITIONS } from '../kinds/kinds.ts';
import { type FieldPath, finding, type LintFinding } from './finding.ts';
import { patternFindings, tagFindings } from './pattern-findings.ts';
import { loudSpellingOf, neighboursOf, spellingsOf, tryParseEntry } from './spellings.ts';
import { type LintSubject, textsIn } from './subject.ts';
import { type TwoReadings, twoReadings } from './two-readings.ts';

const ANYTHING = 'registry.evil.example/x:1';
const PARAMETERS = ['spec', 'parameters'];

/** What is wrong with the lists of a constraint: missing, empty, and entry by entry. */
export function entryFindings(subject: LintSubject): LintFinding[] {
  const { kind, parameters } = subject;
  const { list, parameters: fields } = KIND_DEFINITIONS[kind];
  const found: LintFinding[] = [];
  const main = list ?? (kind === 'K8sDisallowedTags' ? 'tags' : undefined);
  if (main !== undefined) found.push(...listFindings(subject, main));
  const readings = twoReadings(subject);
  for (const field of fields) {
    const texts = textsIn(parameters, field) ?? [];
    const path = [...PARAMETERS, field];
    found.push(...duplicateFindings(texts, path));
    for (const [at, text] of texts.entries()) found.push(...oneEntry(subject, field, text, [...path, at], readings));
    if (field === 'repos') found.push(...coveredFindings(texts, path));
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
          : 'in Gatekeeper it admits every image';
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
  const entry = tryParseEntry(text);
  const witness = neighboursOf(text).filter(isRunnable).find(readings.isWitness);
  if (entry === undefined) {
    const [problem] = lintEntry(text);
    const message = problem?.message ?? `${JSON.stringify(text)} names no image`;
    return [finding('entry-invalid', path, message, { fix: 'write a registry, a path or an image', witness })];
  }
  const [bypass] = lintEntry(text, 'prefix').filter(({ kind }) => kind === 'bypass');
  const others = lintEntry(text).map((problem) => asFinding(problem, path));
  const found = [...others];
  if (witness !== undefined) {
    const message = `"${text}" is compared as raw text in Gatekeeper and lets "${witness}" through`;
    found.unshift(finding('entry-bypass', path, message, { fix: `write "${bypass?.safer ?? `${text}/`}"`, witness }));
  }
  const rejected = spellingsOf(entry).filter(isRunnable).find(readings.isRejected);
  if (rejected !== undefined) {
    const message = `"${text}" rejects "${rejected}" in Gatekeeper, which is the same image`;
    found.push(
      finding('entry-rejects', path, message, { fix: 'match by reference (our default), or list both spellings' }),
    );
  }
  return found;
}

/** An entry of `K8sDisallowedRepos`: other spellings slip through, neighbours are caught by mistake. */
function forbiddenFindings(text: string, path: FieldPath, readings: TwoReadings): LintFinding[] {
  const entry = tryParseEntry(text);
  if (entry === undefined) {
    const message = `${JSON.stringify(text)} names no image; it is compared as the beginning of image texts`;
    return [finding('entry-invalid', path, message, { fix: 'write a registry, a path or an image' })];
  }
  const found: LintFinding[] = [];
  const spellings = spellingsOf(entry);
  const witness = [...spellings, ...spellings.map(loudSpellingOf)].filter(isRunnable).find(readings.isWitness);
  if (witness !== undefined) {
    const message = `"${text}" is compared as raw text in Gatekeeper and does not catch "${witness}", which is the same`;
    found.push(
      finding('entry-bypass', path, message, {
        fix: 'match by reference (our default), or list all spellings',
        witness,
      }),
    );
  }
  const caught = neighboursOf(text).filter(isRunnable).find(readings.isRejected);
  if (caught !== undefined) {
    const message = `"${text}" forbids "${caught}" as well in Gatekeeper`;
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
  return texts.flatMap((text, at) => {
    const first = texts.indexOf(text);
    if (first === at || text === '') return [];
    return [finding('entry-duplicate', [...path, at], `"${text}" is entry ${first} already`, { fix: 'remove it' })];
  });
}

/** Entries that another one covers whole. Probes stand for everything below an entry. */
function coveredFindings(texts: readonly string[], path: FieldPath): LintFinding[] {
  const entries = texts.map(tryParseEntry);
  return entries.flatMap((entry, at) => {
    if (entry === undefined) return [];
    const { registry, path: name, onlyBelow, scope, tag, digest } = entry;
    const end = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
    const below =
      scope === 'tag' || scope === 'digest' ? [] : [`${registry}/${name === undefined ? '' : `${name}/`}probe`];
    const whole = name === undefined || onlyBelow ? [] : [`${registry}/${name}${end}`];
    const probes = [...whole, ...below].flatMap((text) => tryParseReference(text) ?? []);
    const cover = entries.findIndex(
      (other, index) =>
        other !== undefined &&
        index !== at &&
        texts[index] !== texts[at] &&
        probes.length > 0 &&
        probes.every((probe) => entryCovers(other, probe)) &&
        // Of two that cover each other the first stays.
        (index < at || !mutual(entry, other)),
    );
    if (cover < 0) return [];
    const message = `"${texts[at]}" is covered by "${texts[cover]}" already`;
    return [finding('entry-covered', [...path, at], message, { fix: 'remove one of the two' })];
  });
}

function mutual(a: { registry: string; path?: string }, b: { registry: string; path?: string }): boolean {
  return a.registry === b.registry && a.path === b.path;
}

function isRunnable(image: string): boolean {
  return tryParseReference(image) !== undefined;
}
