import { imagesOf } from '../../../src/constraints/workload.ts';
import type { Digest } from '../../../src/oci/digest.ts';
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
  await check('another webhook that adds a container after us has it pinned too', async () => {
    const { webhooks } = (await stage.get(
      'mutatingwebhookconfiguration',
      'breakwater-mutating-webhook-configuration',
    )) as { webhooks: Json[] };
    same(
      webhooks.map((one) => [one['reinvocationPolicy'], one['failurePolicy']]),
      [['IfNeeded', 'Ignore']],
    );
  });
  await stage.pinning('off');
  stage.digests.clear();
}
