import { z } from 'zod';
import { OUR_LABEL } from '../admission/constraint-definition.ts';
import { CONSTRAINT_GROUP, CONSTRAINT_KINDS, pluralOf } from '../constraints/kinds/kinds.ts';
import { DEFINITIONS_PATH } from '../constraints/paths.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { listPages } from '../kubernetes/list-pages.ts';
import { check, type PreflightCheck } from './check.ts';
import { orUndefined } from './cluster-features.ts';

const objectSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    managedFields: z.array(z.looseObject({ manager: z.string().optional() })).optional(),
  }),
  spec: z.looseObject({ replicas: z.number().optional() }).optional().catch(undefined),
  status: z.looseObject({ availableReplicas: z.number().optional() }).optional().catch(undefined),
});
type OwnedObject = z.infer<typeof objectSchema>;

const TEMPLATES = 'constrainttemplates.templates.gatekeeper.sh';
const TEMPLATES_PATH = '/apis/templates.gatekeeper.sh/v1/constrainttemplates';

/** A Gatekeeper in this cluster. */
export interface GatekeeperPresence {
  /** Its definitions are here. */
  readonly installed: boolean;
  /** Something of it answers or would answer: workloads with replicas, or a webhook configuration. */
  readonly live: boolean;
  readonly signs: readonly string[];
}

/** Looks for a Gatekeeper by its definitions, workloads and webhook configurations. Throws `KubernetesError`. */
export async function findGatekeeper(client: KubernetesClient): Promise<GatekeeperPresence> {
  const definition = await orUndefined(client.get(`${DEFINITIONS_PATH}/${TEMPLATES}`));
  const deployments = (await objectsAt(client, '/apis/apps/v1/deployments')).filter(
    ({ metadata }) => metadata.labels?.['gatekeeper.sh/system'] === 'yes' || metadata.name.startsWith('gatekeeper-'),
  );
  const running = deployments.filter(({ spec, status }) => (status?.availableReplicas ?? spec?.replicas ?? 1) > 0);
  const path = '/apis/admissionregistration.k8s.io/v1';
  const configurations = [
    ...(await objectsAt(client, `${path}/validatingwebhookconfigurations`)),
    ...(await objectsAt(client, `${path}/mutatingwebhookconfigurations`)),
  ].filter(({ metadata }) => metadata.name.startsWith('gatekeeper-'));
  const pods = (await objectsAt(client, '/apis/status.gatekeeper.sh/v1beta1/constraintpodstatuses')).length;
  return {
    installed: definition !== undefined,
    live: running.length > 0 || configurations.length > 0,
    signs: [
      ...(definition === undefined ? [] : [`definition ${TEMPLATES}`]),
      ...running.map(({ metadata }) => `Deployment ${metadata.namespace ?? ''}/${metadata.name}`),
      ...configurations.map(({ metadata }) => `webhook configuration ${metadata.name}`),
      ...(pods === 0 ? [] : [`${pods} ConstraintPodStatus`]),
    ],
  };
}

/** Who keeps the definitions of our kinds, and whether a Gatekeeper is there that would write to the same constraints. */
export async function ownerChecks(client: KubernetesClient): Promise<PreflightCheck[]> {
  const gatekeeper = await findGatekeeper(client);
  const details: string[] = [];
  let foreign = false;
  const templates = new Set((await objectsAt(client, TEMPLATES_PATH)).map(({ metadata }) => metadata.name));
  for (const kind of CONSTRAINT_KINDS) {
    const name = `${pluralOf(kind)}.${CONSTRAINT_GROUP}`;
    const parsed = objectSchema.safeParse(await orUndefined(client.get(`${DEFINITIONS_PATH}/${name}`)));
    if (!parsed.success) continue;
    const { labels = {}, annotations = {}, managedFields = [] } = parsed.data.metadata;
    const managers = [...new Set(managedFields.flatMap(({ manager }) => manager ?? []))];
    const ours =
      Object.entries(OUR_LABEL).every(([key, value]) => labels[key] === value) ||
      Object.keys(annotations).some((key) => key.startsWith('breakwater/')) ||
      managers.includes('breakwater');
    const byTemplate = templates.has(pluralOf(kind));
    foreign ||= byTemplate || !ours;
    const maker = byTemplate ? 'a ConstraintTemplate' : ours ? 'Breakwater' : 'others';
    const writers = managers.length === 0 ? '' : ` (${managers.join(', ')})`;
    details.push(`${name}: made by ${maker}${writers}`);
  }
  const owners =
    details.length === 0
      ? check('definition-owners', 'ok', 'no definition of these kinds is here yet')
      : foreign
        ? check(
            'definition-owners',
            'warning',
            'definitions of these kinds have other owners; take them over with "guard import"',
            details,
          )
        : check('definition-owners', 'ok', 'the definitions of these kinds are ours', details);
  return [owners, gatekeeperCheck(gatekeeper)];
}

function gatekeeperCheck({ installed, live, signs }: GatekeeperPresence): PreflightCheck {
  if (live) {
    const summary =
      'a Gatekeeper is live: it would deny the same objects twice and write the same status; run beside it with --observe only, or remove it first';
    return check('gatekeeper', 'problem', summary, signs);
  }
  if (installed) {
    return check(
      'gatekeeper',
      'warning',
      'a Gatekeeper was here and left its definitions: "guard import" takes them over',
      signs,
    );
  }
  return check('gatekeeper', 'ok', 'no Gatekeeper is here');
}

/** All objects of a collection; none where it does not exist or may not be read. */
async function objectsAt(client: KubernetesClient, path: string): Promise<OwnedObject[]> {
  const found: OwnedObject[] = [];
  const read = async (): Promise<void> => {
    for await (const page of listPages(client, path)) {
      found.push(...page.items.flatMap((item) => objectSchema.safeParse(item).data ?? []));
    }
  };
  await orUndefined(read());
  return found;
}
