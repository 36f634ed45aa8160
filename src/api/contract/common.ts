import { z } from 'zod';

/** A moment, RFC 3339 in UTC. */
export const moment = z.iso.datetime({ offset: true });
/** Hours for which the older of two secrets goes on counting. */
export const overlapHours = z
  .number()
  .min(0)
  .max(24 * 90);
export const name = z.string().min(1).max(255);
export const reason = z.object({ reason: z.string().min(1).max(4000) }).strict();
export const inProject = z.object({ project: name }).strict();
export const oneInProject = z.object({ project: name, id: z.string().min(1).max(64) }).strict();
export const page = z
  .object({ limit: z.coerce.number().int().min(1).max(1000).default(100), after: z.string().max(512).optional() })
  .strict();

/** A container of a cluster, by the owner at the top of its pod. */
export const runningContainer = z.object({
  cluster: z.string(),
  namespace: z.string(),
  kind: z.string(),
  name: z.string(),
  container: z.string(),
  image: z.string(),
});

/** A list; `next` is the `after` of the following page, absent on the last. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().optional() });
}

/** Errors, RFC 9457. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
});
