import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import type { TestCluster } from '../support/cluster.ts';

/** What the API server said to one attempt to create a pod. */
export interface Created {
  readonly code: number;
  readonly warned: boolean;
  readonly message: string;
}

/** Calls of an administrator, many at a time. */
export interface Api {
  createPod(name: string, image: string, options?: { namespace?: string; dryRun?: boolean }): Promise<Created>;
  /** Sum of a counter of the API server over those of its labels that contain `part`. */
  counter(name: string, part: string): Promise<number>;
  close(): Promise<void>;
}

export async function openApi(cluster: TestCluster): Promise<Api> {
  const config = JSON.parse(await readFile(cluster.kubeconfig, 'utf8')) as {
    clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
    users: { user: { token: string } }[];
  };
  const [{ cluster: access } = { cluster: undefined }] = config.clusters;
  if (!access) throw new Error('the kubeconfig names no cluster');
  const agent = new Agent({ connect: { ca: Buffer.from(access['certificate-authority-data'], 'base64').toString() } });
  const headers = { authorization: `Bearer ${config.users[0]?.user.token ?? ''}`, 'content-type': 'application/json' };

  return {
    async createPod(name, image, { namespace = 'default', dryRun = false } = {}) {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: { containers: [{ name: 'main', image }] },
      };
      const query = dryRun ? '?dryRun=All' : '';
      const reply = await request(`${access.server}/api/v1/namespaces/${namespace}/pods${query}`, {
        dispatcher: agent,
        method: 'POST',
        headers,
        body: JSON.stringify(pod),
      });
      const text = await reply.body.text();
      const warned = String(reply.headers['warning'] ?? '').includes('require-harbor-repo');
      return { code: reply.statusCode, warned, message: reply.statusCode < 300 ? '' : text };
    },
    async counter(name, part) {
      const reply = await request(`${access.server}/metrics`, { dispatcher: agent, headers });
      const lines = (await reply.body.text()).split('\n').filter((one) => one.startsWith(name) && one.includes(part));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
    close: () => agent.destroy(),
  };
}
