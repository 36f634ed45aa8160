import { nearestName } from './nearest-name.ts';

const MOST_NAMED = 10;
const LONGEST_NAME = 100;
const LONGEST_PROBLEM = 500;

/** A name that somebody sent, in quotes and never longer than a message can take. */
function quoted(name: string): string {
  return JSON.stringify(shortened(name, LONGEST_NAME));
}

/** The first problems in one sentence, then how many more there are; `say` is asked for those alone. */
export function sayProblems<Problem>(problems: readonly Problem[], say: (problem: Problem) => string): string {
  const said = problems.slice(0, MOST_NAMED).map((problem) => shortened(say(problem), LONGEST_PROBLEM));
  const more = problems.length - said.length;
  return [...said, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** `unknown field "blok"; did you mean "block"?`. */
export function unknownName(name: string, known: readonly string[], otherwise = ''): string {
  const meant = nearestName(name, known);
  const hint = meant === undefined ? otherwise : `did you mean ${JSON.stringify(meant)}?`;
  return `unknown field ${quoted(name)}${hint === '' ? '' : `; ${hint}`}`;
}

function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
