import { z } from 'zod';
import { SEVERITIES, type Severity } from '../model/severity.ts';
import { counted } from '../platform/counted.ts';

/** What is known here of a source, measured at a moment. Part of the risk analysis, so that nobody has to look it up by hand. */
export const measuredSchema = z.object({
  /** Epoch ms. */
  at: z.number().int(),
  /** Images of it that are stored here, in how many repositories. */
  images: z.number().int(),
  repositories: z.number().int(),
  /** Images of it that audits saw running. */
  running: z.number().int(),
  /** How many of the stored ones somebody signed. Whose signature that is was not verified. */
  signed: z.number().int(),
  /** Epoch ms: when the newest of them came here; absent where nothing is stored. */
  newestAt: z.number().int().optional(),
  /** Findings of the newest image of each repository, by severity, and how many of them have a fix. */
  findings: z.partialRecord(z.enum(SEVERITIES), z.number().int()),
  fixable: z.number().int(),
  /** From when a finding with a fix was first seen in a repository to the first image without it: days, in the middle, and how often. */
  daysToFix: z.object({ median: z.number(), fixes: z.number().int() }).optional(),
});
export type Measured = z.infer<typeof measuredSchema>;

const DAY = 86_400_000;
const SHOWN: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

/** The measurement in words: the findings of an analysis where nobody wrote others. */
export function describeMeasured(measured: Measured): string {
  const { images, repositories, running, signed, newestAt, findings, fixable, daysToFix, at } = measured;
  if (images === 0) return `Measured: nothing of it is stored here; ${counted(running, 'image')} of it running.`;
  const bySeverity = SHOWN.map((severity) => `${findings[severity] ?? 0} ${severity}`).join(', ');
  const age =
    newestAt === undefined ? '' : `, the newest came ${counted(Math.floor((at - newestAt) / DAY), 'day')} ago`;
  const fixed =
    daysToFix === undefined
      ? 'no fix was seen to arrive yet'
      : `${daysToFix.median} days from a known fix to an image with it (median of ${daysToFix.fixes})`;
  return (
    `Measured: ${counted(images, 'image')} stored in ${counted(repositories, 'repository', 'repositories')}${age}; ` +
    `${counted(running, 'image')} running; ${signed} of ${images} signed (not verified); ` +
    `newest images: ${bySeverity}, ${fixable} fixable; ${fixed}.`
  );
}
