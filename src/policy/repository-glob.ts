/**
 * True when a repository path within its project matches a glob: `*` stands for any characters inside one segment, `**` for
 * any characters at all, and a leading or inner double star with its slash also for nothing (`**` + `/app` matches `app`).
 * Takes time proportional to the product of both lengths, whatever the pattern.
 */
export function matchesGlob(glob: string, path: string): boolean {
  const machine = globMachine(glob);
  let states = machine.start;
  for (const character of path) states = machine.step(states, character);
  return machine.accepts(states);
}

/** A glob as a machine that reads a path character by character; where it may be is a set of states. */
export interface GlobMachine {
  readonly start: ReadonlySet<number>;
  step(states: ReadonlySet<number>, character: string): ReadonlySet<number>;
  accepts(states: ReadonlySet<number>): boolean;
}

export function globMachine(glob: string): GlobMachine {
  const tokens = tokenise(glob);
  return {
    start: closure(tokens, new Set([0])),
    step(states, character) {
      const next = new Set<number>();
      for (const state of states) {
        const token = tokens[state];
        if (token === SEGMENTS) {
          next.add(state);
          if (character === '/') next.add(state + 1);
        } else if (token === '**' || (token === '*' && character !== '/')) next.add(state);
        else if (token === character) next.add(state + 1);
      }
      return closure(tokens, next);
    },
    accepts: (states) => states.has(tokens.length),
  };
}

/** One or more whole segments with their slashes; `MAYBE` before it lets it be left out, but not be left halfway. */
const SEGMENTS = 'segments';
const MAYBE = 'maybe';

/** Adds the states that are reached without a character. */
function closure(tokens: readonly string[], states: Set<number>): Set<number> {
  // A set visits what is added while it is being walked.
  for (const state of states) {
    const token = tokens[state];
    if (token === '*' || token === '**' || token === MAYBE) states.add(state + 1);
    if (token === MAYBE) states.add(state + 2);
  }
  return states;
}

function tokenise(glob: string): string[] {
  const tokens = glob.match(/(?<=^|\/)\*\*\/|\*\*|\*|[^*]/gsu) ?? [];
  return tokens.flatMap((token) => (token === '**/' ? [MAYBE, SEGMENTS] : [token]));
}
