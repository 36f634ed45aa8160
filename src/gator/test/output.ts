import { goQuote } from '../../constraints/go-quote.ts';
import { textAt } from '../../platform/json-object.ts';
import { goJson } from '../go-text.ts';
import { TARGET } from '../library/template.ts';
import { nameOf, namespaceOf } from '../object.ts';
import { Flow, Struct, writeYaml } from '../yaml/write.ts';
import type { TestedResult } from './test.ts';

export type TestOutput = 'default' | 'json' | 'yaml';

/** Does the violation stop the object? */
export function denies({ action, scopedActions }: TestedResult): boolean {
  return action === 'deny' || (scopedActions?.includes('deny') ?? false);
}

/** The results as `gator test` prints them. */
export function formatResults(output: TestOutput, results: readonly TestedResult[]): string {
  switch (output) {
    case 'json':
      return results.length === 0 ? 'null' : jsonList(results);
    case 'yaml':
      // gator marks the trace as a flow value, which for go-yaml means everything after the first of them.
      return writeYaml(
        'v3',
        results.map((result, at) => (at === 0 ? yamlResult(result) : new Flow(yamlResult(result)))),
      );
    default:
      return results.map(line).join('');
  }
}

function line({ object, constraint, message }: TestedResult): string {
  const namespace = namespaceOf(object);
  const name = `${namespace === '' ? '' : `${namespace}/`}${nameOf(object)}`;
  const what = `${textAt(object, 'apiVersion')}/${textAt(object, 'kind')} ${name}`;
  return `${what}: [${goQuote(constraint.name)}] Message: ${goQuote(message)}\n`;
}

const INDENT = '    ';

/** Fields in the order of Go's struct; the objects in them in the order of their keys. */
function jsonList(results: readonly TestedResult[]): string {
  const each = results.map((result) => {
    const fields: readonly (readonly [string, unknown])[] = [
      ['target', TARGET],
      ['msg', result.message],
      ['metadata', result.unmatched ? undefined : { details: {} }],
      ['constraint', result.constraint.object],
      ['enforcementAction', result.action || undefined],
      ['scopedActions', result.scopedActions],
      ['violatingObject', result.object],
      ['trace', null],
    ];
    const lines = fields
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${INDENT.repeat(2)}"${name}": ${goJson(value, INDENT, INDENT.repeat(2))}`);
    return `${INDENT}{\n${lines.join(',\n')}\n${INDENT}}`;
  });
  return `[\n${each.join(',\n')}\n]`;
}

function yamlResult(result: TestedResult): Struct {
  return new Struct([
    [
      'result',
      new Struct([
        ['target', TARGET],
        ['msg', result.message],
        ['metadata', result.unmatched ? {} : { details: {} }],
        ['constraint', new Struct([['object', result.constraint.object]])],
        ['enforcementaction', result.action],
        ['scopedenforcementactions', result.scopedActions ?? []],
      ]),
    ],
    ['violatingObject', result.object],
    ['trace', null],
  ]);
}
