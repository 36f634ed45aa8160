import { messageOf } from '../platform/errors.ts';
import { isRecord } from '../platform/json-object.ts';
import { GatorError, SAYS } from './errors.ts';
import { goJson } from './go-text.ts';
import { gvkOf, type Unstructured } from './object.ts';
import { readYaml } from './yaml/read.ts';

/** The one object of a text, its first document. Throws `GatorError('yaml_invalid')`; it must have a kind. */
export function readObject(text: string): Unstructured {
  const value = readYaml('v3', text) ?? {};
  if (!isRecord(value)) throw notAMap(value);
  if (gvkOf(value).kind === '') throw new GatorError('yaml_invalid', missingKind(value));
  return value;
}

export function missingKind(value: unknown): string {
  return `Object 'Kind' is missing in '${goJson(value)}'`;
}

export function notAMap(value: unknown): GatorError {
  const tag = Array.isArray(value) ? '!!seq' : typeof value === 'string' ? '!!str' : `!!${typeof value}`;
  return new GatorError('yaml_invalid', `yaml: unmarshal errors: cannot unmarshal ${tag} into map[string]interface {}`);
}

/** All objects of a text, cut at lines that begin with `---` as gator cuts them. Throws `GatorError('yaml_invalid')`. */
export function readObjects(text: string): readonly Unstructured[] {
  return text.split('\n---').flatMap((part) => {
    const lines = part.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
    if (lines.length === 0) return [];
    try {
      return [readObject(`${lines.join('\n')}\n`)];
    } catch (cause) {
      throw new GatorError('yaml_invalid', `${SAYS.yaml}: ${messageOf(cause)}`, { cause });
    }
  });
}
