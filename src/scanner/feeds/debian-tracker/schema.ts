import { z } from 'zod';

const text = z.string().max(300);

const releaseSchema = z.object({
  status: text,
  fixed_version: text.nullish(),
  urgency: text.nullish(),
  nodsa: z.string().nullish(),
  nodsa_reason: text.nullish(),
});

/** The fields of one vulnerability of one package in the tracker's JSON export that are used. No releases are an empty list. */
export const trackerIssueSchema = z.object({
  releases: z.union([z.record(text, releaseSchema), z.array(z.never())]).nullish(),
});

export type TrackerIssue = z.infer<typeof trackerIssueSchema>;
export type TrackerRelease = z.infer<typeof releaseSchema>;
