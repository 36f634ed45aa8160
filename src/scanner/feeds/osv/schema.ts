import { z } from 'zod';

const text = z.string().max(1000);
const texts = z.array(text).max(20_000).nullish();
const severities = z.array(z.object({ type: text, score: text })).nullish();

/** The fields of an OSV record (schema 1.x) that matching uses. Everything else is ignored, prose included. */
export const osvRecordSchema = z.object({
  id: z.string().min(1).max(200),
  modified: text.nullish(),
  published: text.nullish(),
  withdrawn: text.nullish(),
  aliases: texts,
  upstream: texts,
  related: texts,
  summary: z.string().nullish(),
  severity: severities,
  database_specific: z.unknown().optional(),
  affected: z
    .array(
      z.object({
        package: z
          .object({
            ecosystem: z.string().min(1).max(300),
            name: z.string().min(1).max(500),
            purl: z.string().max(2000).nullish(),
          })
          .nullish(),
        severity: severities,
        ranges: z
          .array(
            z.object({
              type: text,
              events: z
                .array(
                  z.object({
                    introduced: text.optional(),
                    fixed: text.optional(),
                    last_affected: text.optional(),
                    limit: text.optional(),
                  }),
                )
                .max(20_000),
            }),
          )
          .nullish(),
        versions: z.array(text).nullish(),
        ecosystem_specific: z.unknown().optional(),
      }),
    )
    .nullish(),
});

export type OsvRecord = z.infer<typeof osvRecordSchema>;
export type OsvAffected = NonNullable<OsvRecord['affected']>[number];
export type OsvEvent = NonNullable<OsvAffected['ranges']>[number]['events'][number];

/** A property of an object of unknown shape; undefined when it is not there. */
export function propertyOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** A text field of an object of unknown shape; undefined when it is not there. */
export function fieldOf(value: unknown, name: string): string | undefined {
  const field = propertyOf(value, name);
  return typeof field === 'string' ? field : undefined;
}
