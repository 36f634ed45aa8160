import type { z } from 'zod';
import type { actionSchema, policySchema, thresholdSchema } from './policy-schema.ts';

export type Threshold = z.infer<typeof thresholdSchema>;
export type Action = z.infer<typeof actionSchema>;
export type Policy = z.infer<typeof policySchema>;

/** What a new installation starts with: shows everything, blocks nothing until somebody decides so. */
export const defaultPolicy: Policy = Object.freeze({
  block: { fixable: 'off', unfixable: 'off' },
  warn: { fixable: 'high', unfixable: 'critical' },
  graceDays: { low: 0, medium: 0, high: 0, critical: 0 },
  kev: 'warn',
  epss: null,
  epssAction: 'warn',
  severitySources: ['distribution', 'ghsa', 'cna', 'nvd', 'cisa-adp'],
  unknownSeverity: 'low',
  unscanned: 'wait',
  unscannable: 'block',
  endOfLife: 'warn',
  advisorySample: 'warn',
  advisoryAgeDays: null,
  advisoryAge: 'warn',
  ignoreStatuses: [],
  strictIndex: false,
  gateBlobs: false,
} satisfies Policy);

/** True when the policy can refuse the pull of an image for what is known about it. */
export function isGated(policy: Policy): boolean {
  return (
    policy.block.fixable !== 'off' ||
    policy.block.unfixable !== 'off' ||
    policy.kev === 'block' ||
    (policy.epss !== null && policy.epssAction === 'block') ||
    policy.endOfLife === 'block' ||
    policy.advisorySample === 'block' ||
    (policy.advisoryAgeDays !== null && policy.advisoryAge === 'block')
  );
}
