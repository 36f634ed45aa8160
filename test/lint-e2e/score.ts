/** Counts what went well and shows what did not. */
export interface Score {
  /** `problem` undefined = passed. */
  verdict(name: string, problem: string | undefined): void;
  say(line: string): void;
  readonly passed: number;
  readonly failed: number;
}

const LONGEST = 1500;

export function createScore(): Score {
  let passed = 0;
  let failed = 0;
  return {
    say,
    verdict(name, problem) {
      if (problem === undefined) passed += 1;
      else {
        failed += 1;
        say(`FAILED ${name}\n  ${problem.slice(0, LONGEST)}`);
      }
    },
    get passed() {
      return passed;
    },
    get failed() {
      return failed;
    },
  };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Undefined when something holds, else what is known about it. */
export function unless(holds: boolean, problem: string): string | undefined {
  return holds ? undefined : problem || 'it does not';
}
