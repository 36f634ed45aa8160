import { z } from 'zod';

const metric = z.object({
  source: z.string().max(200),
  type: z.string().max(50).nullish(),
  /** CVSS v2 has it here, later versions inside `cvssData`. */
  baseSeverity: z.string().max(50).nullish(),
  cvssData: z.object({
    vectorString: z.string().max(500),
    baseScore: z.number().min(0).max(10),
    baseSeverity: z.string().max(50).nullish(),
  }),
});
const metrics = z.array(metric).nullish();

/** The fields of an item of NVD's 2.0 JSON feeds (`vulnerabilities[].cve`) that are used. */
export const nvdCveSchema = z.object({
  id: z.string().regex(/^CVE-\d{4}-\d{4,19}$/),
  sourceIdentifier: z.string().max(200).nullish(),
  published: z.string().max(50).nullish(),
  lastModified: z.string().max(50).nullish(),
  vulnStatus: z.string().max(100).nullish(),
  metrics: z
    .object({ cvssMetricV40: metrics, cvssMetricV31: metrics, cvssMetricV30: metrics, cvssMetricV2: metrics })
    .nullish(),
});

export type NvdCve = z.infer<typeof nvdCveSchema>;
export type NvdMetric = z.infer<typeof metric>;
