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

/**
 * Carries a takeover out: constraints are made or changed as planned and, with `release`, definitions are taken out of
 * the hands of their ConstraintTemplates. Gives what was done, a line each. Throws `KubernetesError`.
 */
export async function applyTakeover(
  client: KubernetesClient,
  { taken }: Takeover,
  release: boolean,
): Promise<string[]> {
  const done: string[] = [];
  for (const { kind, name, object } of taken) {
    if (!isConstraintKind(kind)) continue;
    const collection = `/apis/${CONSTRAINT_GROUP}/v1beta1/${pluralOf(kind)}`;
    const { metadata, spec } = ownObject(object);
    try {
      await client.create(collection, object);
      done.push(`${kind} ${name} created`);
    } catch (error) {
      if (!(error instanceof KubernetesError && error.code === 'conflict')) throw error;
      const patch = { metadata: { annotations: metadata.annotations ?? {} }, spec };
      await client.patch(`${collection}/${encodeURIComponent(name)}`, patch);
      done.push(`${kind} ${name} configured`);
    }
  }
  if (!release) return done;
  for (const name of await ownedDefinitions(client)) {
    await client.patch(`${DEFINITIONS_PATH}/${name}`, { metadata: { ownerReferences: null } });
    done.push(`definition ${name} released`);
  }
  return done;
}

function ownObject(object: unknown): { metadata: { annotations?: unknown }; spec?: unknown } {
  return z
    .looseObject({ metadata: z.looseObject({ annotations: z.unknown().optional() }), spec: z.unknown().optional() })
    .parse(object);
}
