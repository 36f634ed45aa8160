import { z } from 'zod';

const text = z.string().max(1000);

const cvssSchema = z.object({
  baseScore: z.number().min(0).max(10).nullish(),
  baseSeverity: text.nullish(),
  vectorString: text.nullish(),
});

const metricSchema = z.object({
  cvssV4_0: cvssSchema.nullish(),
  cvssV3_1: cvssSchema.nullish(),
  cvssV3_0: cvssSchema.nullish(),
  cvssV2_0: cvssSchema.nullish(),
  other: z.object({ content: z.unknown() }).nullish(),
});

const containerSchema = z.object({
  providerMetadata: z.object({ shortName: z.string().max(200).nullish() }).nullish(),
  metrics: z.array(metricSchema).max(1000).nullish(),
});

/** The fields of a CVE record (CVE JSON 5.x) that are used. */
export const cveRecordSchema = z.object({
  cveMetadata: z.object({
    cveId: z.string().regex(/^CVE-\d{4}-\d{4,19}$/),
    state: text,
    assignerShortName: z.string().max(200).nullish(),
    datePublished: z.string().max(50).nullish(),
    dateUpdated: z.string().max(50).nullish(),
  }),
  containers: z.object({ cna: containerSchema.nullish(), adp: z.array(containerSchema).max(100).nullish() }).nullish(),
});

export type CveRecord = z.infer<typeof cveRecordSchema>;
export type CveContainer = z.infer<typeof containerSchema>;
export type CveMetric = z.infer<typeof metricSchema>;
