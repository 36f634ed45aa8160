import { z } from 'zod';
import { CONSTRAINT_GROUP, CONSTRAINT_KINDS, isConstraintKind, pluralOf } from '../constraints/kinds/kinds.ts';
import { DEFINITIONS_PATH } from '../constraints/paths.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { orUndefined } from './cluster-features.ts';
import type { Takeover } from './takeover.ts';

const ownedSchema = z.looseObject({
  metadata: z.looseObject({ ownerReferences: z.array(z.unknown()).nullish() }),
});

/** Definitions that a ConstraintTemplate owns: deleting it would delete all constraints of that kind with them. */
export async function ownedDefinitions(client: KubernetesClient): Promise<string[]> {
  const owned: string[] = [];
  for (const kind of CONSTRAINT_KINDS) {
    const name = `${pluralOf(kind)}.${CONSTRAINT_GROUP}`;
    const { data } = ownedSchema.safeParse(await orUndefined(client.get(`${DEFINITIONS_PATH}/${name}`)));
    if ((data?.metadata.ownerReferences ?? []).length > 0) owned.push(name);
  }
  return owned;
}

export interface ApplyOptions {
  /** Beside a live Gatekeeper: only annotations of constraints that are there, which it does not read. */
  readonly observe: boolean;
}

/**
 * Carries a takeover out: constraints are changed or made as planned, and definitions are taken out of the hands of their
 * ConstraintTemplates. Gives what was done, a line each. Throws `KubernetesError`.
 */
export async function applyTakeover(
  client: KubernetesClient,
  { taken }: Takeover,
  { observe }: ApplyOptions,
): Promise<string[]> {
  const done: string[] = [];
  for (const { kind, name, object } of taken) {
    if (!isConstraintKind(kind)) continue;
    const collection = `/apis/${CONSTRAINT_GROUP}/v1beta1/${pluralOf(kind)}`;
    const { metadata, spec } = ownSchema.parse(object);
    const annotations = metadata.annotations ?? {};
    try {
      const patch = { metadata: { annotations }, ...(observe ? {} : { spec }) };
      await client.patch(`${collection}/${encodeURIComponent(name)}`, patch);
      done.push(`${kind} ${name} configured`);
    } catch (error) {
      if (!(error instanceof KubernetesError && error.code === 'not_found')) throw error;
      if (!observe) await client.create(collection, object);
      done.push(`${kind} ${name} ${observe ? 'is not in the cluster: left out' : 'created'}`);
    }
  }
  if (observe) return done;
  for (const name of await ownedDefinitions(client)) {
    await client.patch(`${DEFINITIONS_PATH}/${name}`, { metadata: { ownerReferences: null } });
    done.push(`definition ${name} released`);
  }
  return done;
}

const ownSchema = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).optional() }),
  spec: z.unknown().optional(),
});
