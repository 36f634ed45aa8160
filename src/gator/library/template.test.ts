import { describe, expect, it } from 'vitest';
import { templateOf } from '../../../test/support/library-templates.ts';
import { isRecord } from '../../platform/json-object.ts';
import { GatorError } from '../errors.ts';

import { KNOWN_PROGRAMS } from './programs.ts';
import { readTemplate } from './template.ts';

const [program] = [...KNOWN_PROGRAMS.values()].filter(({ meaning, v1 }) => v1 && meaning.kind === 'K8sDisallowedTags');
if (!program) throw new Error('there is no current program');
const TEMPLATE = templateOf(program);

/** The template with its one target changed. */
function withTarget(change: (target: Record<string, unknown>) => Record<string, unknown>): Record<string, unknown> {
  const copy = structuredClone(TEMPLATE);
  const spec = copy['spec'];
  if (!isRecord(spec) || !Array.isArray(spec['targets'])) throw new Error('no targets');
  const [target] = spec['targets'] as Record<string, unknown>[];
  spec['targets'] = [change({ ...target })];
  return copy;
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    if (!(error instanceof GatorError)) throw error;
    return error.code;
  }
}

describe('a template', () => {
  it('is known whatever its comments, blank lines, indentation and schema', () => {
    const spaced = withTarget((target) => ({
      ...target,
      rego: `# told\n\n${String(target['rego']).replaceAll('\n', '\r\n    ')}\n  # "end`,
    }));
    expect(readTemplate(spaced).program).toBe(program);
  });

  it.each([
    ['one letter', (rego: string) => rego.replace('":"', '";"')],
    ['one more rule', (rego: string) => `${rego}\nis_exempt(_) if { true }`],
    ['two lines made one', (rego: string) => rego.replace('_]\n', '_] ')],
    ['a comment sign inside a text', (rego: string) => rego.replace('"container <%v> uses', '"# container <%v> uses')],
  ])('with changed Rego is unknown: %s', (_, change) => {
    const changed = withTarget((target) => ({ ...target, rego: change(String(target['rego'])) }));
    expect(codeOf(() => readTemplate(changed))).toBe('template_unknown');
  });

  it('with a changed library, with CEL or for another target is refused', () => {
    expect(codeOf(() => readTemplate(withTarget((target) => ({ ...target, libs: [] }))))).toBe('template_unknown');
    const code = [{ engine: 'K8sNativeValidation', source: {} }];
    expect(codeOf(() => readTemplate(withTarget((target) => ({ ...target, code }))))).toBe('template_unknown');
    expect(codeOf(() => readTemplate(withTarget((target) => ({ ...target, target: 'x' }))))).toBe('template_invalid');
  });

  it('is read from code as from rego', () => {
    const moved = withTarget(({ rego, libs, target }) => ({
      target,
      code: [{ engine: 'Rego', source: { version: 'v1', rego, libs } }],
    }));
    expect(readTemplate(moved).program).toBe(program);
    const [old] = [...KNOWN_PROGRAMS.values()].filter(({ v1 }) => !v1);
    if (!old) throw new Error('there is no old program');
    const copy = templateOf(old);
    const spec = copy['spec'] as { targets: Record<string, unknown>[] };
    spec.targets = spec.targets.map(({ rego, libs, target }) => ({
      target,
      code: [{ engine: 'Rego', source: { version: 'v1', rego, libs } }],
    }));
    expect(codeOf(() => readTemplate(copy))).toBe('template_unknown');
  });

  it('must be of the kind its Rego is for', () => {
    const other = structuredClone(TEMPLATE) as {
      metadata: object;
      spec: { crd: { spec: { names: { kind: string } } } };
    };
    other.metadata = { name: 'k8simagedigests' };
    other.spec.crd.spec.names.kind = 'K8sImageDigests';
    expect(codeOf(() => readTemplate({ ...other }))).toBe('template_unknown');
  });
});
