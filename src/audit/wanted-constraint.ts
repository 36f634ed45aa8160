import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { WANTED_CONSTRAINT_ANNOTATION } from '../admission/constraint-definition.ts';
import { CONSTRAINT_KIND } from '../constraints/constraint.ts';
import { CONSTRAINTS_PATH, DEFINITION_PATH } from '../constraints/paths.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { digestOf } from '../oci/digest.ts';
import { jsonOf } from '../platform/json-object.ts';

/** Digest of the wanted text that was carried out last. */
const APPLIED_ANNOTATION = 'breakwater/applied-constraint';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const ATTEMPTS = 20;
const RETRY_MS = 500;

const definitionSchema = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).optional() }),
});
const constraintSchema = z.looseObject({
  kind: z.literal(CONSTRAINT_KIND),
  metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).optional() }),
  spec: z.looseObject({}),
});
type WantedConstraint = z.infer<typeof constraintSchema>;

/**
 * Carries out the constraint that applied guard manifests ask for in an annotation of the definition: one
 * `kubectl apply` cannot create a kind and an object of it. Each new text is carried out once: what people change or
 * remove afterwards stays as they left it. Tells what was done, undefined when there was nothing to do.
 */
export async function applyWantedConstraint(
  client: KubernetesClient,
  definition: unknown,
): Promise<'created' | 'changed' | undefined> {
  const annotations = definitionSchema.safeParse(definition).data?.metadata.annotations ?? {};
  const text = annotations[WANTED_CONSTRAINT_ANNOTATION];
  if (text === undefined || annotations[APPLIED_ANNOTATION] === digestOf(text)) return undefined;
  const wanted = constraintSchema.safeParse(jsonOf(text));
  if (!wanted.success) return undefined;
  const done = await createOrChange(client, wanted.data);
  await client.patch(DEFINITION_PATH, { metadata: { annotations: { [APPLIED_ANNOTATION]: digestOf(text) } } });
  return done;
}

async function createOrChange(client: KubernetesClient, wanted: WantedConstraint): Promise<'created' | 'changed'> {
  // As kubectl would have left it, so that somebody who goes on with kubectl finds what it expects.
  const annotations = { ...wanted.metadata.annotations, [LAST_APPLIED]: `${JSON.stringify(wanted)}\n` };
  const object = { ...wanted, metadata: { ...wanted.metadata, annotations } };
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.create(CONSTRAINTS_PATH, object);
      return 'created';
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
      if (error.code === 'conflict') break;
      // The API server serves a new kind a moment after its definition was stored.
      if (error.code !== 'not_found' || attempt === ATTEMPTS) throw error;
      await delay(RETRY_MS);
    }
  }
  await client.patch(`${CONSTRAINTS_PATH}/${encodeURIComponent(wanted.metadata.name)}`, {
    metadata: { annotations },
    spec: wanted.spec,
  });
  return 'changed';
}
