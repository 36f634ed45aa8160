import { goQuote } from '../../constraints/go-quote.ts';
import { isRecord } from '../../platform/json-object.ts';
import { GatorError, SAYS } from '../errors.ts';

export interface Assertion {
  /** `yes`: at least one; `no`: none; a number: exactly that many. */
  readonly violations: string | number;
  /** A regular expression in Go's syntax; undefined counts every violation. */
  readonly message: string | undefined;
}

export interface Case {
  readonly name: string;
  readonly object: string;
  readonly inventory: readonly string[];
  readonly assertions: readonly Assertion[];
  readonly skip: boolean;
}

export interface Test {
  readonly name: string;
  readonly template: string;
  readonly constraint: string;
  readonly expansion: string;
  readonly cases: readonly Case[];
  /** The constraint is expected not to fit its template. */
  readonly invalid: boolean;
  readonly skip: boolean;
}

export interface Suite {
  readonly tests: readonly Test[];
  readonly skip: boolean;
}

/** Reads a suite as Go reads JSON: names of fields in any case, unknown ones passed over, wrong types refused. */
export function readSuite(value: Readonly<Record<string, unknown>>): Suite {
  const suite = new Fields(value, 'Suite');
  return {
    tests: suite.list('tests').map((test, at) => readTest(new Fields(test, `Suite.tests[${at}]`))),
    skip: suite.flag('skip'),
  };
}

function readTest(test: Fields): Test {
  return {
    name: test.text('name'),
    template: test.text('template'),
    constraint: test.text('constraint'),
    expansion: test.text('expansion'),
    cases: test.list('cases').map((one, at) => readCase(new Fields(one, `${test.path}.cases[${at}]`))),
    invalid: test.flag('invalid'),
    skip: test.flag('skip'),
  };
}

function readCase(one: Fields): Case {
  return {
    name: one.text('name'),
    object: one.text('object'),
    inventory: one.list('inventory').map((path) => {
      if (typeof path === 'string') return path;
      throw wrong(`${one.path}.inventory`, path, 'string');
    }),
    assertions: one
      .list('assertions')
      .map((value, at) => readAssertion(new Fields(value, `${one.path}.assertions[${at}]`))),
    skip: one.flag('skip'),
  };
}

function readAssertion(assertion: Fields): Assertion {
  const violations = assertion.get('violations') ?? 'yes';
  const whole = typeof violations === 'number' && Number.isInteger(violations) && Math.abs(violations) < 2 ** 31;
  if (typeof violations !== 'string' && (typeof violations !== 'number' || !whole)) {
    throw wrong(`${assertion.path}.violations`, violations, 'int32');
  }
  const message = assertion.get('message') ?? undefined;
  if (message !== undefined && typeof message !== 'string') throw wrong(`${assertion.path}.message`, message, 'string');
  return { violations, message };
}

function wrong(path: string, value: unknown, wanted: string): GatorError {
  const found = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  return new GatorError(
    'suite_invalid',
    `${SAYS.yaml}: json: cannot unmarshal ${found === 'boolean' ? 'bool' : found} into Go struct field ${path} of type ${wanted}`,
  );
}

/** The fields of one object of a suite. */
class Fields {
  readonly path: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown, path: string) {
    if (!isRecord(value)) throw wrong(path, value, 'object');
    this.#fields = value;
    this.path = path;
  }

  get(name: string): unknown {
    if (Object.hasOwn(this.#fields, name)) return this.#fields[name];
    const key = Object.keys(this.#fields).find((one) => one.toLowerCase() === name);
    return key === undefined ? undefined : this.#fields[key];
  }

  text(name: string): string {
    const value = this.get(name) ?? '';
    if (typeof value !== 'string') throw wrong(`${this.path}.${name}`, value, 'string');
    return value;
  }

  flag(name: string): boolean {
    const value = this.get(name) ?? false;
    if (typeof value !== 'boolean') throw wrong(`${this.path}.${name}`, value, 'bool');
    return value;
  }

  list(name: string): readonly unknown[] {
    const value = this.get(name) ?? [];
    if (!Array.isArray(value)) throw wrong(`${this.path}.${name}`, value, 'array');
    return value;
  }
}

/** What an assertion has against the messages of some violations; undefined when it holds. Throws for a bad expression. */
export function assertionError(
  { violations, message }: Assertion,
  messages: readonly string[],
  matches: (pattern: string, text: string) => boolean,
): string | undefined {
  const count = message === undefined ? messages.length : messages.filter((text) => matches(message, text)).length;
  const problem = countError(violations, count, message === undefined ? '' : ` containing ${goQuote(message)}`);
  return problem === undefined ? undefined : `${problem}: got messages [${messages.join(' ')}]`;
}

function countError(violations: string | number, count: number, containing: string): string | undefined {
  const got = `${SAYS.violations}: got ${count} violations${containing} but want`;
  if (typeof violations === 'number' && violations >= 0) {
    return count === violations ? undefined : `${got} exactly ${violations}`;
  }
  if (violations === 'yes') return count > 0 ? undefined : `${got} at least 1`;
  if (violations === 'no') return count === 0 ? undefined : `${got} none`;
  return `${SAYS.yaml}: assertion.violation, if set, must be a nonnegative integer, "yes", or "no"`;
}
