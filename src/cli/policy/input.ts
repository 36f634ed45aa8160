import { InvalidArgumentError } from 'commander';
import { parse } from 'yaml';
import { messageOf } from '../../platform/errors.ts';
import { listed } from '../../platform/listed.ts';
import { readLayer } from '../../policy/policy-layer.ts';
import { CliError } from '../exit.ts';

/** A policy document of any fields. Throws `CliError('usage')` that names every field that is wrong. */
export function parsePolicy(text: string, file: string): Record<string, unknown> {
  // A file of comments alone says nothing: everything is inherited.
  const document = parseYaml(text, file) ?? {};
  const read = readLayer(document);
  if ('problems' in read) throw new CliError('usage', `${file} is no policy: ${read.problems}`);
  return document as Record<string, unknown>;
}

/** YAML or JSON. Throws `CliError('usage')`. */
function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw new CliError('usage', `${file} is neither YAML nor JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** `graceDays.fixable.high=7`, added to those before; the value is YAML. */
export function collectField(text: string, before: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write a field and its value, like block.fixable=high.');
  try {
    return { ...before, [text.slice(0, at)]: parse(text.slice(at + 1), { maxAliasCount: 0 }) };
  } catch (error) {
    throw new InvalidArgumentError(`The value is no YAML: ${messageOf(error)}.`);
  }
}

/** Names, one or several separated by commas, added to those before. */
export function collectNames(text: string, before: readonly string[] = []): string[] {
  return [...before, ...listed(text)];
}
