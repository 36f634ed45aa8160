import type { z } from 'zod';
import type { Contact, VerdictKind } from '../model/verdict.ts';
import type { actionSchema, policySchema, thresholdSchema } from './policy-schema.ts';

export type Threshold = z.infer<typeof thresholdSchema>;
export type Action = z.infer<typeof actionSchema>;
export type Policy = z.infer<typeof policySchema>;

/** What a new installation starts with: shows everything, blocks nothing until somebody decides so. */
export const defaultPolicy: Policy = Object.freeze({
  block: { fixable: 'off', unfixable: 'off' },
  warn: { fixable: 'high', unfixable: 'critical' },
  graceDays: {
    fixable: { low: 0, medium: 0, high: 0, critical: 0 },
    unfixable: { low: 0, medium: 0, high: 0, critical: 0 },
  },
  counting: {
    willNotFix: 'count',
    fixDeferred: 'count',
    underInvestigation: 'count',
    endOfLife: 'count',
    unimportant: 'count',
    kernelHeaders: 'count',
  },
  severitySources: ['distribution', 'ghsa', 'cna', 'nvd', 'cisa-adp'],
  unknownSeverity: 'low',
  kev: { action: 'warn', graceDays: 0, overrules: { exceptions: false, vex: false } },
  epss: { threshold: null, action: 'warn', holdDays: 7 },
  unscanned: 'wait',
  unscannable: 'block',
  endOfLife: 'warn',
  advisorySample: 'warn',
  advisoryAge: { days: null, action: 'warn' },
  disallowedTags: { globs: [], action: 'warn' },
  digestRequired: 'ignore',
  exceptions: { mostDays: { low: 365, medium: 365, high: 180, critical: 90 }, mostLifeDays: 730 },
  vexAuthors: [],
  contact: { text: null, link: null },
  strictIndex: false,
  gateBlobs: false,
} satisfies Policy);

/** True when the policy can refuse the pull of an image for what is known about it. */
export function isGated(policy: Policy): boolean {
  return (
    policy.block.fixable !== 'off' ||
    policy.block.unfixable !== 'off' ||
    policy.kev.action === 'block' ||
    (policy.epss.threshold !== null && policy.epss.action === 'block') ||
    policy.endOfLife === 'block' ||
    policy.advisorySample === 'block' ||
    (policy.advisoryAge.days !== null && policy.advisoryAge.action === 'block')
  );
}

/** Whom to ask about a verdict of that kind; nothing for one that lets pass. As a part of the verdict. */
export function contactOf(
  { contact: { text, link } }: Pick<Policy, 'contact'>,
  kind: VerdictKind,
): { readonly contact?: Contact } {
  if (kind === 'allow' || (text === null && link === null)) return {};
  return { contact: { ...(text === null ? {} : { text }), ...(link === null ? {} : { link }) } };
}
