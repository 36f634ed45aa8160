import { z } from 'zod';

export const secdbPackageSchema = z.object({
  name: z.string().min(1).max(300),
  secfixes: z.record(z.string().max(300), z.array(z.string().max(1000)).nullable()).nullish(),
});

/** The fields of an Alpine security database file (`<branch>/<repository>.json`) that are used. */
export const secdbSchema = z.object({
  distroversion: z.string().regex(/^(?:v\d+\.\d+|edge)$/),
  reponame: z.string().max(100),
  packages: z.array(z.object({ pkg: z.unknown() })),
});

export type SecdbPackage = z.infer<typeof secdbPackageSchema>;
