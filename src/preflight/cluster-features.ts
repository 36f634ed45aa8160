import { z } from 'zod';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { check, type PreflightCheck } from './check.ts';

const versionSchema = z.looseObject({ major: z.string(), minor: z.string(), gitVersion: z.string() });
const resourcesSchema = z.looseObject({ resources: z.array(z.looseObject({ name: z.string() })) });
const openApiSchema = z.looseObject({
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});

/** matchConditions of webhooks are stable since 1.30; older clusters would drop them or refuse the manifests. */
const OLDEST_MINOR = 30;
const IMAGE_VOLUME = 'io.k8s.api.core.v1.ImageVolumeSource';

/** Which Kubernetes this is, and which of the features that matter here it has. Throws `KubernetesError`. */
export async function featureChecks(client: KubernetesClient): Promise<PreflightCheck[]> {
  const { gitVersion, major, minor } = versionSchema.parse(await client.get('/version'));
  const number = Number.parseInt(minor, 10);
  const old = major === '1' && number < OLDEST_MINOR;
  const version = old
    ? check('version', 'problem', `Kubernetes ${gitVersion} is too old: the webhook needs 1.${OLDEST_MINOR} or later`)
    : check('version', 'ok', `Kubernetes ${gitVersion}`);
  const [policies, volumes] = await Promise.all([hasPolicies(client), hasImageVolumes(client)]);
  const details = [
    `ValidatingAdmissionPolicy: ${policies ? 'yes, "guard export vap" can be used' : 'no, "guard export vap" cannot be used'}`,
    `image volumes: ${volumes ? 'yes, they are judged like containers' : 'no'}`,
  ];
  return [version, check('features', 'ok', 'what this cluster can do', details)];
}

async function hasPolicies(client: KubernetesClient): Promise<boolean> {
  const found = await orUndefined(client.get('/apis/admissionregistration.k8s.io/v1'));
  const { data } = resourcesSchema.safeParse(found);
  return data?.resources.some(({ name }) => name === 'validatingadmissionpolicies') ?? false;
}

async function hasImageVolumes(client: KubernetesClient): Promise<boolean> {
  const { data } = openApiSchema.safeParse(await orUndefined(client.get('/openapi/v3/api/v1')));
  return data !== undefined && Object.hasOwn(data.components.schemas, IMAGE_VOLUME);
}

/** What is not there, or not shown to us, counts as not there. */
export async function orUndefined<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof KubernetesError && (error.code === 'not_found' || error.code === 'denied')) return undefined;
    throw error;
  }
}
