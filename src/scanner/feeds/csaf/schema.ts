import { z } from 'zod';

const text = z.string().max(2000);
const ids = z.array(text).max(2_000_000);

/** A product of the product tree, with what identifies it (CSAF 2.0, 3.1.3). */
export const productSchema = z.object({
  product_id: text,
  product_identification_helper: z.object({ cpe: text.nullish(), purl: text.nullish() }).nullish(),
});

/** "A is a component of B", under an id of its own (CSAF 2.0, 3.2.2.3). */
export const relationshipSchema = z.object({
  full_product_name: z.object({ product_id: text }),
  product_reference: text,
  relates_to_product_reference: text,
});

export const remediationSchema = z.object({
  category: text,
  details: z.string().nullish(),
  url: text.nullish(),
  product_ids: ids.nullish(),
});

export const threatSchema = z.object({ category: text, details: z.string().nullish(), product_ids: ids.nullish() });

const cvssSchema = z.object({ baseScore: z.number().min(0).max(10), vectorString: text });
export const scoreSchema = z.object({
  cvss_v4: cvssSchema.nullish(),
  cvss_v3: cvssSchema.nullish(),
  cvss_v2: cvssSchema.nullish(),
  products: ids.nullish(),
});

export type Product = z.infer<typeof productSchema>;
export type Relationship = z.infer<typeof relationshipSchema>;
export type Remediation = z.infer<typeof remediationSchema>;
export type Threat = z.infer<typeof threatSchema>;
export type Score = z.infer<typeof scoreSchema>;
