import { z } from 'zod';

export const selectorSchema = z.looseObject({
  matchLabels: z.record(z.string(), z.string()).nullish(),
  matchExpressions: z
    .array(z.looseObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).nullish() }))
    .nullish(),
});
export type LabelSelector = z.infer<typeof selectorSchema>;

type Labels = Readonly<Record<string, string>>;

export interface CompiledSelector {
  selects(labels: Labels): boolean;
  readonly problems: readonly string[];
}

/** Kubernetes label selector: matchLabels and matchExpressions, all must hold. An unknown operator selects (fails closed). */
export function compileSelector(selector: LabelSelector): CompiledSelector {
  const problems: string[] = [];
  const tests: ((labels: Labels) => boolean)[] = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]) =>
      (labels) =>
        Object.hasOwn(labels, key) && labels[key] === value,
  );
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const wanted = new Set(values ?? []);
    const has = (labels: Labels) => Object.hasOwn(labels, key);
    switch (operator) {
      case 'In':
        tests.push((labels) => has(labels) && wanted.has(labels[key] ?? ''));
        break;
      case 'NotIn':
        tests.push((labels) => !(has(labels) && wanted.has(labels[key] ?? '')));
        break;
      case 'Exists':
        tests.push(has);
        break;
      case 'DoesNotExist':
        tests.push((labels) => !has(labels));
        break;
      default:
        problems.push(`the selector's operator "${operator}" is not known; use In, NotIn, Exists or DoesNotExist`);
    }
  }
  return { selects: (labels) => tests.every((test) => test(labels)), problems };
}
