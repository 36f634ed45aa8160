import type { Policy, Threshold } from './policy.ts';
import { isAbove } from './policy-sense.ts';
import type { Fixability } from './thresholds.ts';

export interface ShortForm {
  readonly block?: Threshold;
  readonly warn?: Threshold;
}

/**
 * The fields that `--block high` and `--warn critical` stand for: findings at or above the severity count, whether there is a
 * fixed version or not, as a Harbor user expects of "prevent images with vulnerability severity of high or higher". A warning
 * threshold that is not given and would be above the new blocking one comes down to it.
 */
export function shortFormFields({ block, warn }: ShortForm, before: Policy): Map<string, Threshold> {
  const fields = new Map<string, Threshold>();
  for (const fixability of ['fixable', 'unfixable'] satisfies Fixability[]) {
    if (block !== undefined) fields.set(`block.${fixability}`, block);
    if (warn !== undefined) fields.set(`warn.${fixability}`, warn);
    else if (block !== undefined && isAbove(before.warn[fixability], block)) fields.set(`warn.${fixability}`, block);
  }
  return fields;
}
