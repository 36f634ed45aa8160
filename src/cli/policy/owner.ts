import type { BodyOf, ReplyOf } from '../../api/contract/endpoint.ts';
import {
  editInstallationPolicy,
  editPolicy,
  getInstallationPolicy,
  getPolicy,
  listInstallationPolicies,
  listPolicies,
  rollBackInstallationPolicy,
  rollBackPolicy,
  setInstallationPolicy,
  setPolicy,
} from '../../api/contract/policies.ts';
import type { ApiClient } from '../client.ts';
import { CliError } from '../exit.ts';

type Shown = ReplyOf<typeof getPolicy>;
type History = ReplyOf<typeof listPolicies>;
type Whole = BodyOf<typeof setPolicy>;
type Edit = BodyOf<typeof editInstallationPolicy>;
type Again = BodyOf<typeof rollBackPolicy>;

/** Whose policy a command is about, and the calls for it. */
export interface PolicyCalls {
  /** As messages call it. */
  readonly name: string;
  show(api: ApiClient): Promise<Shown>;
  set(api: ApiClient, body: Whole): Promise<Shown>;
  edit(api: ApiClient, body: Edit): Promise<Shown>;
  history(api: ApiClient): Promise<History>;
  rollBack(api: ApiClient, version: number, body: Again): Promise<Shown>;
}

/** The calls for a project, or with `--installation` for what counts where projects say nothing. Throws `CliError('usage')`. */
export function policyCalls(project: string | undefined, { installation }: { installation?: true }): PolicyCalls {
  if (project !== undefined && installation) throw new CliError('usage', 'give a project or --installation, not both');
  if (installation) return ofInstallation;
  if (project === undefined)
    throw new CliError(
      'usage',
      'give the project, or --installation for the policy that counts where projects say nothing',
    );
  const params = { project };
  return {
    name: project,
    show: (api) => api.call(getPolicy, { params }),
    set: (api, body) => api.call(setPolicy, { params, body }),
    edit: (api, { lock, unlock, ...body }) => {
      if (lock ?? unlock) throw new CliError('usage', 'only the installation can lock fields: use --installation');
      return api.call(editPolicy, { params, body });
    },
    history: (api) => api.call(listPolicies, { params }),
    rollBack: (api, version, body) => api.call(rollBackPolicy, { params: { project, version: String(version) }, body }),
  };
}

const ofInstallation: PolicyCalls = {
  name: 'the installation',
  show: (api) => api.call(getInstallationPolicy, {}),
  set: (api, body) => api.call(setInstallationPolicy, { body }),
  edit: (api, body) => api.call(editInstallationPolicy, { body }),
  history: (api) => api.call(listInstallationPolicies, {}),
  rollBack: (api, version, body) =>
    api.call(rollBackInstallationPolicy, { params: { version: String(version) }, body }),
};
