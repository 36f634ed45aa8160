import { AUDITED_KINDS } from '../../src/constraints/paths.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { systemClock } from '../../src/platform/clock.ts';

/** A process of its own: `paged-list.ts KUBECONFIG MEDIA-TYPE` reads all pages of all audited kinds and throws them away. */
const [, , kubeconfig = '', accept = 'application/json'] = process.argv;
const client = createKubernetesClient(loadKubeconfig(kubeconfig), systemClock);
const started = performance.now();
let bytes = 0;
await Promise.all(AUDITED_KINDS.map(({ path }) => readAll(path)));
console.log(JSON.stringify({ ms: performance.now() - started, bytes }));
await client.close();

async function readAll(path: string): Promise<void> {
  let token = '';
  do {
    const query = { limit: '500', ...(token === '' ? {} : { continue: token }) };
    const { body } = await client.read(path, { query, accept });
    // Nothing but where the next page begins is looked for, in the first bytes of a page.
    let head = '';
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (head.length < 4096) head += Buffer.from(chunk).toString('latin1', 0, 4096);
    }
    token = /"continue":"([^"]+)"/.exec(head)?.[1] ?? /(eyJ[\w-]{20,}={0,2})/.exec(head)?.[1] ?? '';
  } while (token !== '');
}
