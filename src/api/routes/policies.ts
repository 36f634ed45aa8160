import { policyJsonSchema } from '../../policy/policy-json-schema.ts';
import type { PolicyOwner, PolicyReason, PolicyVersion, PolicyWritten } from '../../projects/policy-store.ts';
import * as contract from '../contract/policies.ts';
import type { ApiDeps } from '../deps.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

export function policyRoutes({ policies, verdicts }: ApiDeps): BoundEndpoint[] {
  async function view(owner: PolicyOwner) {
    const effective =
      owner === 'installation' ? await policies.installationPolicy() : await policies.effectivePolicy(owner.id);
    return {
      ...effective,
      origins: { ...effective.origins },
      own: { ...effective.own },
      coming: effective.coming.map(({ from, policy }) => ({ from: time(from), policy })),
    };
  }

  /** Stored images follow a new policy before the reply is sent. */
  async function follow(owner: PolicyOwner, { changed }: PolicyWritten) {
    if (changed && owner === 'installation') await verdicts.rejudgeAll('policy');
    else if (changed && owner !== 'installation') await verdicts.rejudgeProject(owner.id, 'policy');
    return view(owner);
  }

  return [
    on(contract.getPolicy, async ({ project }) => view(project)),
    on(contract.setPolicy, async ({ by, project, body: { policy, ...why } }) =>
      follow(project, await policies.set(by, project, policy, reasonOf(why))),
    ),
    on(contract.editPolicy, async ({ by, project, body: { reason, effectiveFrom, ...edit } }) =>
      follow(project, await policies.edit(by, project, edit, reasonOf({ reason, effectiveFrom }))),
    ),
    on(contract.listPolicies, async ({ project }) => ({ items: (await policies.history(project)).map(versionView) })),
    on(contract.rollBackPolicy, async ({ by, project, params, body }) =>
      follow(project, await policies.rollBack(by, project, Number(params.version), reasonOf(body))),
    ),

    on(contract.getInstallationPolicy, async () => view('installation')),
    on(contract.setInstallationPolicy, async ({ by, body: { policy, ...why } }) =>
      follow('installation', await policies.set(by, 'installation', policy, reasonOf(why))),
    ),
    on(contract.editInstallationPolicy, async ({ by, body: { reason, effectiveFrom, ...edit } }) =>
      follow('installation', await policies.edit(by, 'installation', edit, reasonOf({ reason, effectiveFrom }))),
    ),
    on(contract.listInstallationPolicies, async () => ({
      items: (await policies.history('installation')).map(versionView),
    })),
    on(contract.rollBackInstallationPolicy, async ({ by, params, body }) =>
      follow('installation', await policies.rollBack(by, 'installation', Number(params.version), reasonOf(body))),
    ),
    on(contract.getPolicySchema, async () => policyJsonSchema()),
  ];
}

function reasonOf({ reason, effectiveFrom }: { reason: string; effectiveFrom?: string | undefined }): PolicyReason {
  return { reason, effectiveFrom: effectiveFrom === undefined ? undefined : Date.parse(effectiveFrom) };
}

function versionView({ createdAt, effectiveFrom, ...stored }: PolicyVersion): contract.PolicyVersionView {
  return {
    ...stored,
    document: { ...stored.document },
    changes: stored.changes.map(({ field, before, after }) => ({ field, before, after })),
    createdAt: time(createdAt),
    ...(effectiveFrom === undefined ? {} : { effectiveFrom: time(effectiveFrom) }),
  };
}
