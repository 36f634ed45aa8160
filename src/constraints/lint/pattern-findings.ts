import { DOCKER_HUB, isTag, tryParseReference } from '../../oci/reference.ts';
import { lintEntry } from '../../trust/match/lint.ts';
import type { ConstraintKind } from '../kinds/kinds.ts';
import { type FieldPath, finding, type LintFinding } from './finding.ts';
import { neighboursOf } from './spellings.ts';
import { type TwoReadings, whereOf } from './two-readings.ts';

/** An entry of `allowedImages` or `exemptImages`: a whole image text, or a beginning with a final `*`. */
export function patternFindings(
  kind: ConstraintKind,
  field: string,
  text: string,
  path: FieldPath,
  readings: TwoReadings,
): LintFinding[] {
  if (text.slice(0, -1).includes('*')) {
    const message = `"${text}": "*" is a wildcard at the end only; elsewhere it stands for itself and matches nothing`;
    return [
      finding('entry-wildcard', path, message, { fix: 'write the beginning of the name and one "*" at the end' }),
    ];
  }
  return text.endsWith('*')
    ? beginningFindings(kind, field, text, path, readings)
    : exactFindings(field, text, path, readings);
}

function beginningFindings(
  kind: ConstraintKind,
  field: string,
  text: string,
  path: FieldPath,
  readings: TwoReadings,
): LintFinding[] {
  const prefix = text.slice(0, -1);
  const verb = field === 'exemptImages' ? 'exempts' : 'admits';
  if (prefix === '') {
    return [finding('entry-broad', path, `"*" ${verb} every image`, { fix: 'name what you mean' })];
  }
  const found: LintFinding[] = [];
  const ends = /[/:@]$/.test(prefix);
  if (!ends) {
    const neighbours = neighboursOf(prefix)
      .map((name) => suffixed(kind, name))
      .filter((name) => tryParseReference(name) !== undefined);
    const witness = neighbours.find(readings.isWitness);
    const example = witness ?? neighbours.find(readings.admits);
    // By reference the name of a host ends where it ends.
    if (example !== undefined || readings.by !== 'reference') {
      const message = `"${text}" does not end at a boundary and ${verb} ${example === undefined ? 'more than it says' : `"${example}"`}`;
      found.push(finding('entry-bypass', path, message, { fix: `write "${prefix}/*" or "${prefix}:*"`, witness }));
    }
  }
  const [broad] = lintEntry(prefix).filter(({ kind: one }) => one === 'broad');
  if (broad !== undefined) {
    found.push(
      finding('entry-broad', path, `"${text}" ${verb} what anybody can publish there`, {
        fix: `write "${prefix}<account>/*"`,
      }),
    );
  }
  return found;
}

/** An image text that breaks the rule unless it is exempt. */
function suffixed(kind: ConstraintKind, name: string): string {
  return kind === 'K8sDisallowedTags' || kind === 'K8sImageDigests' ? name.replace(/:1$/, '') : name;
}

function exactFindings(field: string, text: string, path: FieldPath, readings: TwoReadings): LintFinding[] {
  const reference = tryParseReference(text);
  if (reference === undefined) {
    const message = `${JSON.stringify(text)} is not an image reference and matches nothing`;
    return [
      finding('entry-invalid', path, message, { fix: 'write a whole image name, or a beginning with "*" at the end' }),
    ];
  }
  const found: LintFinding[] = [];
  const { registry, repository, tag, digest } = reference;
  if (tag === undefined && digest === undefined && field === 'allowedImages') {
    const message = `"${text}" without "*" admits the untagged reference only, not "${text}:1"`;
    found.push(finding('entry-untagged', path, message, { fix: `write "${text}:*" for any tag, or name one` }));
  }
  const end = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  const short = repository.replace(/^library\//, '');
  const spellings = [
    ...(registry === DOCKER_HUB ? [`${short}${end}`, `${DOCKER_HUB}/${repository}${end}`, `${repository}${end}`] : []),
    ...(tag !== undefined && digest === undefined ? [`${text}@sha256:${'0'.repeat(64)}`] : []),
  ];
  const rejected = spellings.find((one) => tryParseReference(one) !== undefined && readings.isRejected(one));
  if (rejected !== undefined) {
    const message = `"${text}" does not cover "${rejected}" ${whereOf(readings)}, which is the same image`;
    found.push(finding('entry-rejects', path, message, { fix: 'match by reference (our default), or list both' }));
  }
  return found;
}

/** An entry of `tags`. */
export function tagFindings(text: string, path: FieldPath, readings: TwoReadings): LintFinding[] {
  if (isTag(text)) return [];
  const bare = text.replace(/^.*:/, '');
  const witness = isTag(bare) ? [`registry.evil.example/x:${bare}`].find(readings.isWitness) : undefined;
  const why = text.includes(':')
    ? 'the ":" is added by itself'
    : text.includes('*')
      ? 'there are no wildcards here'
      : 'no tag looks like that';
  return [
    finding('tag-invalid', path, `"${text}" forbids nothing: ${why}`, {
      fix: isTag(bare) ? `write "${bare}"` : 'write a tag, like latest',
      witness,
    }),
  ];
}
