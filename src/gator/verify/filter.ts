import { messageOf } from '../../platform/errors.ts';
import { GatorError, SAYS } from '../errors.ts';
import { compileRegex, type Regex } from '../regex/regex.ts';
import type { Test } from './suite.ts';

/** Which tests and cases run. */
export interface Filter {
  test(test: Test): boolean;
  case(test: string, name: string): boolean;
}

/**
 * Reads `--run`: one expression for tests or cases, or `TEST//CASE` for cases in tests; empty parts match everything.
 * Throws `GatorError('regex_invalid')`.
 */
export function readFilter(run: string): Filter {
  if (run === '') return { test: () => true, case: () => true };
  const [first = '', second, ...rest] = run.split('//');
  if (rest.length > 0) throw bad('a filter may include at most one "//"');
  const one = compile(first);
  if (second === undefined) {
    const matches = (test: string, name: string) => one.test(name) || one.test(test);
    return {
      test: (test) => one.test(test.name) || test.cases.some(({ name }) => matches(test.name, name)),
      case: matches,
    };
  }
  const two = compile(second);
  return { test: ({ name }) => one.test(name), case: (test, name) => two.test(name) && one.test(test) };
}

function compile(pattern: string): Regex {
  try {
    return compileRegex(pattern);
  } catch (cause) {
    throw bad(messageOf(cause), cause);
  }
}

function bad(message: string, cause?: unknown): GatorError {
  return new GatorError('regex_invalid', `compiling filter: ${SAYS.filter}: ${message}`, { cause });
}
