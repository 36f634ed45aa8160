import { z } from 'zod';
import { CONSTRAINT_KIND } from '../admission/constraint.ts';
import { INITIAL_CONSTRAINT_ANNOTATION } from '../admission/constraint-definition.ts';
import { KubernetesError } from './errors.ts';
import type { KubernetesClient } from './kubernetes-client.ts';
import { CONSTRAINTS_PATH, DEFINITION_PATH } from './paths.ts';

const DONE_ANNOTATION = `${INITIAL_CONSTRAINT_ANNOTATION}-created`;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const definitionSchema = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).optional() }),
});
const constraintSchema = z.looseObject({
  kind: z.literal(CONSTRAINT_KIND),
  metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).optional() }),
});

/**
 * Creates the constraint that the guard manifests ask for, once: one `kubectl apply` cannot create a kind and an
 * object of it. A constraint that somebody removed later stays removed. True when it was created now.
 */
export async function createInitialConstraint(client: KubernetesClient): Promise<boolean> {
  const definition = definitionSchema.safeParse(await client.get(DEFINITION_PATH));
  const annotations = definition.data?.metadata.annotations ?? {};
  const wanted = annotations[INITIAL_CONSTRAINT_ANNOTATION];
  if (wanted === undefined || Object.hasOwn(annotations, DONE_ANNOTATION)) return false;
  const constraint = constraintSchema.safeParse(parseJson(wanted));
  if (!constraint.success) return false;
  const created = await createUnlessThere(client, constraint.data);
  await client.patch(DEFINITION_PATH, { metadata: { annotations: { [DONE_ANNOTATION]: 'true' } } });
  return created;
}

async function createUnlessThere(
  client: KubernetesClient,
  constraint: z.infer<typeof constraintSchema>,
): Promise<boolean> {
  // As kubectl would have left it, so that applying the manifests again finds what it expects.
  const metadata = {
    ...constraint.metadata,
    annotations: { ...constraint.metadata.annotations, [LAST_APPLIED]: `${JSON.stringify(constraint)}\n` },
  };
  try {
    await client.create(CONSTRAINTS_PATH, { ...constraint, metadata });
    return true;
  } catch (error) {
    if (error instanceof KubernetesError && error.code === 'conflict') return false;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
