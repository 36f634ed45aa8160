import { z } from 'zod';

const configSchema = z.looseObject({
  kind: z.literal('Config'),
  metadata: z.looseObject({ name: z.literal('config') }),
  spec: z.looseObject({
    match: z
      .array(
        z.looseObject({ excludedNamespaces: z.array(z.string()).nullish(), processes: z.array(z.string()).nullish() }),
      )
      .nullish(),
  }),
});

/** Namespace patterns that Gatekeeper's `Config` leaves out at admission. */
export function exemptPatterns(configs: readonly unknown[]): string[] {
  return configs.flatMap((config) => {
    const { data } = configSchema.safeParse(config);
    return (data?.spec.match ?? [])
      .filter(({ processes }) => processes?.includes('webhook') || processes?.includes('*'))
      .flatMap(({ excludedNamespaces }) => excludedNamespaces ?? []);
  });
}
