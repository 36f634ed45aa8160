import { createServer } from 'node:https';
import { imagesOf } from '../../../src/constraints/workload.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { eventually } from '../../support/eventually.ts';
import { check, heading, same } from '../check.ts';
import { type Asker, constraint, type Json, type Stage } from '../stage.ts';
import { KINDS, ownedBy, PLACES, podSpec, simple, workload } from '../workloads.ts';

const OURS = 'harbor.cksc.a1ck.io/front/app:1';
const FIRST: Digest = `sha256:${'1'.repeat(64)}`;
const SECOND: Digest = `sha256:${'2'.repeat(64)}`;
const CONTROLLER: Asker = { user: 'system:serviceaccount:kube-system:deployment-controller' };

/** The mutating webhook on the real API server. */
export async function pinning(stage: Stage): Promise<void> {
  heading('Pinning');
  await stage.constraints([constraint('K8sImageDigests', 'pinned', 'deny', {})]);
  stage.digests.set(OURS, FIRST);
  const images = async (kind: string, name: string) => imagesOf(await stage.get(kind, name)).map(({ image }) => image);
  await stage.pinning('off');
  await check('off: a tag stays a tag, and a rule that wants digests denies it', async () => {
    same((await stage.apply([simple('Pod', 'unpinned', OURS)])).code, 1);
  });
  await stage.pinning(false);
  for (const place of PLACES) {
    await check(`a pod's ${place} is pinned before it is judged`, async () => {
      const name = `pinned-${place.toLowerCase()}`;
      const asked = await stage.apply([workload('Pod', name, podSpec(place, 'main', OURS))]);
      same(asked.code, 0, asked.stderr);
      same((await images('pod', name)).includes(`${OURS}@${FIRST}`), true);
    });
  }
  await check('what kubectl debug brings is pinned', async () => {
    const debug = [
      'debug',
      'pinned-container',
      `--image=${OURS}`,
      '--container=d',
      '--profile=general',
      '--attach=false',
    ];
    const asked = await stage.kubectl(debug);
    same(asked.code, 0, asked.stderr);
    same(await images('pod', 'pinned-container'), [`${OURS}@${FIRST}`, `${OURS}@${FIRST}`]);
  });
  await check('a dry run shows the same', async () => {
    const shown = await stage.apply(
      [simple('Pod', 'tried', OURS)],
      ['create', '--dry-run=server', '-ojsonpath={..image}'],
    );
    same(shown.stdout, `${OURS}@${FIRST}`);
  });
  await stage.constraints([]);
  await check('unknown and pinned images stay as they are; templates too', async () => {
    await stage.apply([
      simple('Pod', 'foreign', 'docker.io/x:1'),
      simple('Pod', 'exact', `${OURS}@${SECOND}`),
      simple('Deployment', 'plain', OURS),
    ]);
    same(await images('pod', 'foreign'), ['docker.io/x:1']);
    same(await images('pod', 'exact'), [`${OURS}@${SECOND}`]);
    same(await images('deployment', 'plain'), [OURS]);
  });
  await check('a running pod is not changed by an update', async () => {
    await stage.pinning('off');
    await stage.apply([simple('Pod', 'running', OURS)]);
    await stage.pinning(false);
    same((await stage.kubectl(['label', 'pod', 'running', 'a=b'])).code, 0);
    same(await images('pod', 'running'), [OURS]);
  });
  await stage.pinning(true);
  for (const kind of KINDS.filter((kind) => kind !== 'Pod')) {
    await check(`a ${kind} is pinned where templates are`, async () => {
      const object = simple(kind, 'templated', OURS);
      same((await stage.apply([object], ['apply'])).code, 0);
      same(await images(kind, 'templated'), [`${OURS}@${FIRST}`]);
      // Applied again as it was written, while the tag points elsewhere: nothing changes, and a Job's fixed template is kept.
      stage.digests.set(OURS, SECOND);
      const again = await stage.apply([object], ['apply']);
      stage.digests.set(OURS, FIRST);
      same(again.code, 0, again.stderr);
      same(await images(kind, 'templated'), [`${OURS}@${FIRST}`]);
    });
  }
  await check('what a Deployment controller makes keeps its template', async () => {
    const owner = await stage.get('deployment', 'plain');
    const asked = await stage.apply([ownedBy(owner, simple('ReplicaSet', 'plain-1', OURS))], ['create'], CONTROLLER);
    same(asked.code, 0, asked.stderr);
    same(await images('replicaset', 'plain-1'), [OURS]);
  });
  await check('a container that another webhook adds after us is pinned too', async () => {
    const sidecar = await startSidecar(stage);
    try {
      await stage.apply([simple('Pod', 'injected', OURS)]);
      same(await images('pod', 'injected'), [`${OURS}@${FIRST}`, `${OURS}@${FIRST}`]);
    } finally {
      await sidecar.close();
    }
  });
  await stage.pinning('off');
  stage.digests.clear();
}

/** A webhook of somebody else, asked after ours, that adds a container to every pod. */
async function startSidecar(stage: Stage): Promise<{ close(): Promise<void> }> {
  const server = createServer(stage.tls, (request, reply) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      const { request: asked } = JSON.parse(text) as { request: { uid: string; object: Json } };
      const there = JSON.stringify(asked.object).includes('"sidecar"');
      const patch = [{ op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image: OURS } }];
      const added = { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
      const response = { uid: asked.uid, allowed: true, ...(there ? {} : added) };
      reply.setHeader('content-type', 'application/json');
      reply.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const name = 'zz-sidecar';
  const caBundle = Buffer.from(stage.tls.ca).toString('base64');
  const webhook = {
    name: 'sidecar.example.com',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
  };
  await stage.apply([
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name },
      webhooks: [webhook],
    },
  ]);
  await eventually('the sidecar', async () => {
    const dry = ['create', '--dry-run=server', '-ojsonpath={..name}'];
    return (await stage.apply([simple('Pod', 'probe', 'docker.io/x:1')], dry)).stdout.includes('sidecar') || undefined;
  });
  return {
    async close() {
      await stage.kubectl(['delete', 'mutatingwebhookconfiguration', name]);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
