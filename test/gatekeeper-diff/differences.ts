import type { Answer } from './ask.ts';
import type { Case } from './reviews.ts';

export interface Difference {
  readonly case: Case;
  readonly theirs: Answer;
  readonly ours: Answer;
}

/** A difference that is meant: `docs/guard/compatibility.md` has a line for each, found by `name`. */
interface Explained {
  readonly name: string;
  explains(difference: Difference): boolean;
}

export const EXPLAINED: readonly Explained[] = [
  {
    // Gatekeeper puts more than twelve lines in order with a sort that may exchange equal ones.
    name: 'lines that say the same',
    explains: ({ theirs, ours }) =>
      sameDecision(theirs, ours) &&
      tied(theirs.message.split('\n'), ours.message.split('\n')) &&
      tied(theirs.warnings, ours.warnings),
  },
  {
    name: 'a deletion',
    explains: ({ ours, case: { operation } }) =>
      operation === 'DELETE' && ours.http === 200 && ours.allowed && ours.warnings.length === 0,
  },
  {
    name: 'a namespace that does not exist',
    explains: ({ theirs, case: { namespace } }) => namespace === 'not-there' && theirs.code === 500,
  },
];

/** True when an API server makes the same of both answers. */
export function same(theirs: Answer, ours: Answer): boolean {
  return (
    sameDecision(theirs, ours) &&
    theirs.message === ours.message &&
    theirs.warnings.join('\n') === ours.warnings.join('\n')
  );
}

function sameDecision(theirs: Answer, ours: Answer): boolean {
  return (
    theirs.http === ours.http &&
    theirs.allowed === ours.allowed &&
    theirs.code === ours.code &&
    theirs.reason === ours.reason
  );
}

/** The same lines, and only lines whose sentence is the same stand in another order. */
function tied(theirs: readonly string[], ours: readonly string[]): boolean {
  return (
    theirs.map(sentence).join('\n') === ours.map(sentence).join('\n') &&
    theirs.toSorted().join('\n') === ours.toSorted().join('\n')
  );
}

/** A line without the name of its constraint. */
function sentence(line: string): string {
  return line.replace(/^\[[^\]]*\] /, '');
}

/** What differs, in words that group differences of one cause. */
export function causeOf({ theirs, ours, case: { operation, object } }: Difference): string {
  const where = `${operation} ${object.kind}`;
  if (ours.http !== theirs.http) return `${where}: HTTP ${theirs.http} there, ${ours.http} here`;
  if (ours.allowed !== theirs.allowed)
    return `${where}: ${word(theirs)} there, ${word(ours)} here${kindsIn(theirs, ours)}`;
  if (ours.code !== theirs.code || ours.reason !== theirs.reason)
    return `${where}: code ${theirs.code} ${theirs.reason} there, ${ours.code} ${ours.reason} here`;
  const [there, here] = [linesOf(theirs), linesOf(ours)];
  if (there.toSorted().join('\n') === here.toSorted().join('\n')) return `${where}: order of lines`;
  const missing = there.filter((line) => !here.includes(line)).length;
  const more = here.filter((line) => !there.includes(line)).length;
  return `${where}: ${missing > 0 ? 'lines missing' : ''}${missing > 0 && more > 0 ? ' and ' : ''}${more > 0 ? 'other lines' : ''}${missing + more === 0 ? 'lines repeated' : ''}${kindsIn(theirs, ours)}`;
}

function word({ allowed }: Answer): string {
  return allowed ? 'allowed' : 'denied';
}

function linesOf({ message, warnings }: Answer): string[] {
  return [...(message === '' ? [] : message.split('\n').map((line) => `deny ${line}`)), ...warnings];
}

/** Names of constraints only one of the two speaks of, without what makes them many. */
function kindsIn(theirs: Answer, ours: Answer): string {
  const names = (answer: Answer): string[] => linesOf(answer).flatMap((line) => /\[([a-z0-9]+)-/.exec(line)?.[1] ?? []);
  const [there, here] = [linesOf(theirs), linesOf(ours)];
  const onlyThere = names({ ...theirs, message: '', warnings: there.filter((line) => !here.includes(line)) });
  const onlyHere = names({ ...ours, message: '', warnings: here.filter((line) => !there.includes(line)) });
  return ` (there: ${[...new Set(onlyThere)].sort().join(' ') || '-'}; here: ${[...new Set(onlyHere)].sort().join(' ') || '-'})`;
}
