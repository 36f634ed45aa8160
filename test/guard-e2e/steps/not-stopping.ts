import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { check, heading, holds, lacks, same } from '../check.ts';
import { type Asked, type Asker, constraint, type Json, ON_CALL, type Stage } from '../stage.ts';
import { ownedBy, simple } from '../workloads.ts';

const RAN = 'evil.example.com/ran:1';
const NEW = 'evil.example.com/new:1';
const ANN: Asker = { user: 'ann' };
const BOB: Asker = { user: 'bob', groups: [ON_CALL] };
const NAME = 'require-harbor-repo';

function controller(name: string): Asker {
  return { user: `system:serviceaccount:kube-system:${name}-controller` };
}

function rule(action: string, annotations: Record<string, string> = {}): Json {
  return constraint('K8sAllowedRepos', NAME, action, { repos: ['harbor.cksc.a1ck.io'] }, { annotations });
}

/** Nobody runs controllers here: their requests are made in their names. */
export async function notStopping(stage: Stage): Promise<void> {
  await stage.constraints([rule('warn')]);
  heading('What ran before the rule');
  const before = await whatRan(stage);
  // The rule's time has whole seconds.
  await delay(2500);
  await stage.constraints([rule('deny')]);
  await updates(stage);
  await restarts(stage, before);
  await breakGlass(stage);
  await mirrorPods(stage);
  await dryRuns(stage);
}

interface Ran {
  readonly deployment: Json;
  readonly set: Json;
  readonly cron: Json;
  readonly other: Json;
}

async function whatRan(stage: Stage): Promise<Ran> {
  const create = async (object: Json, as: Asker): Promise<Json> => {
    const { kind, metadata } = object as { kind: string; metadata: { name: string } };
    const asked = await stage.apply([object], ['create'], as);
    await check(`${kind} ${metadata.name} is created with a warning`, () => {
      same(asked.code, 0, asked.stderr);
      holds(asked.stderr, `Warning: [${NAME}] container "main" has an invalid image repo "${RAN}"`);
    });
    return { ...object, ...(await stage.get(kind, metadata.name)) };
  };
  const deployment = await create(simple('Deployment', 'web', RAN), ANN);
  await live(stage, deployment);
  const set = await create(ownedBy(deployment, simple('ReplicaSet', 'web-1', RAN)), controller('deployment'));
  await live(stage, set);
  await create(ownedBy(set, simple('Pod', 'web-1-a', RAN)), controller('replicaset'));
  const cron = await create(simple('CronJob', 'nightly', RAN), ANN);
  await create(simple('Pod', 'finalized', RAN, { finalizers: ['example.com/hold'] }), ANN);
  const other = await create(simple('Deployment', 'scaled', RAN), ANN);
  return { deployment, set, cron, other };
}

/** The watch has told of it. */
async function live(stage: Stage, object: Json): Promise<void> {
  const { uid } = object['metadata'] as { uid: string };
  await eventually('the watch', () => stage.live.workload(uid) && true);
}

async function passes(what: string, asked: Promise<Asked>): Promise<void> {
  await check(`${what} passes`, async () => {
    const { code, stderr } = await asked;
    same(code, 0, stderr);
  });
}

async function updates(stage: Stage): Promise<void> {
  heading('Updates');
  await passes('scaling', stage.kubectl(['scale', 'deployment', 'web', '--replicas=5'], undefined, ANN));
  await passes('labelling', stage.kubectl(['label', 'deployment', 'web', 'touched=yes'], undefined, ANN));
  await check('labelling warns in the words of the rule', async () => {
    const { stderr } = await stage.kubectl(['label', 'pod', 'web-1-a', 'touched=yes'], undefined, ANN);
    same(
      stderr,
      `Warning: [${NAME}] container "main" has an invalid image repo "${RAN}", allowed repos are ["harbor.cksc.a1ck.io"]\n`,
    );
  });
  await check('a new image is denied', async () => {
    const { code, stderr } = await stage.kubectl(['set', 'image', 'deployment/web', `main=${NEW}`], undefined, ANN);
    same(code, 1);
    holds(stderr, `denied the request: [denied by ${NAME}] container "main" has an invalid image repo "${NEW}"`);
  });
  await passes('deletion', stage.kubectl(['delete', 'pod', 'finalized', '--wait=false'], undefined, ANN));
  await check('a pod with a finalizer is Terminating', async () => {
    const { deletionTimestamp } = (await stage.get('pod', 'finalized'))['metadata'] as { deletionTimestamp?: string };
    same(typeof deletionTimestamp, 'string');
  });
  const strict = { 'breakwater/updates': 'strict' };
  await stage.constraints([rule('deny', strict)]);
  await check('strict denies labelling, but not scaling', async () => {
    same((await stage.kubectl(['label', 'deployment', 'web', 'more=yes'], undefined, ANN)).code, 1);
    same((await stage.kubectl(['scale', 'deployment', 'web', '--replicas=2'], undefined, ANN)).code, 0);
  });
  await check('the finalizer comes off a Terminating pod even so', async () => {
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    const { code, stderr } = await stage.kubectl(
      ['patch', 'pod', 'finalized', '--type=merge', '-p', patch],
      undefined,
      ANN,
    );
    same({ code, stderr }, { code: 0, stderr: '' });
    holds((await stage.kubectl(['get', 'pod', 'finalized'])).stderr, 'not found');
  });
  await stage.constraints([rule('deny')]);
}

async function restarts(stage: Stage, { deployment, set, cron, other }: Ran): Promise<void> {
  heading('Restart is not first deploy');
  // The rule was written again above: what was let in before is older than that, too.
  await check(
    'an evicted pod comes back, with a warning that says what, since when, until when and for whom',
    async () => {
      const eviction = {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: 'web-1-a', namespace: 'default' },
      };
      const evicted = await stage.kubectl(
        ['create', '--raw', '/api/v1/namespaces/default/pods/web-1-a/eviction', '-f', '-'],
        JSON.stringify(eviction),
      );
      same(evicted.code, 0, evicted.stderr);
      const asked = await stage.apply(
        [ownedBy(set, simple('Pod', 'web-1-b', RAN))],
        ['create'],
        controller('replicaset'),
      );
      same(asked.code, 0, asked.stderr);
      const day = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;
      const pattern = new RegExp(
        `^Warning: \\[${NAME}\\] denied since ${day}, passes until ${day} as a restart of Deployment default/web, ` +
          `taken for the same image by its text: container "main" has an invalid image repo "${RAN}"`,
      );
      same(pattern.test(asked.stderr), true, asked.stderr);
    },
  );
  await check('a rollout makes a new ReplicaSet, and that its pods at once', async () => {
    const made = await stage.apply(
      [ownedBy(deployment, simple('ReplicaSet', 'web-2', RAN))],
      ['create'],
      controller('deployment'),
    );
    same(made.code, 0, made.stderr);
    const young = await stage.get('replicaset', 'web-2');
    const asked = await stage.apply(
      [ownedBy(young, simple('Pod', 'web-2-a', RAN))],
      ['create'],
      controller('replicaset'),
    );
    same(asked.code, 0, asked.stderr);
    holds(asked.stderr, 'as a restart of Deployment default/web');
  });
  await check('a CronJob makes its Job, and the Job its pod', async () => {
    await live(stage, cron);
    const made = await stage.apply([ownedBy(cron, simple('Job', 'nightly-1', RAN))], ['create'], controller('cronjob'));
    same(made.code, 0, made.stderr);
    const job = await stage.get('job', 'nightly-1');
    const asked = await stage.apply([ownedBy(job, simple('Pod', 'nightly-1-a', RAN))], ['create'], controller('job'));
    same(asked.code, 0, asked.stderr);
    holds(asked.stderr, 'as a restart of CronJob default/nightly');
  });
  const denied = async (what: string, object: Json, as: Asker) =>
    check(`${what} is denied`, async () => {
      const { code, stderr } = await stage.apply([object], ['create'], as);
      same(code, 1, stderr);
      holds(stderr, `[denied by ${NAME}] container "main" has an invalid image repo`);
    });
  await denied('a first deploy', simple('Deployment', 'fresh', RAN), ANN);
  await denied('a pod with a forged owner', ownedBy(set, simple('Pod', 'forged', RAN)), ANN);
  await denied(
    'an image that is not in the template',
    ownedBy(set, simple('Pod', 'web-1-c', NEW)),
    controller('replicaset'),
  );
  const gone = { ...set, metadata: { ...(set['metadata'] as Json), uid: '00000000-0000-0000-0000-000000000000' } };
  await denied(
    'a pod of an owner that does not live',
    ownedBy(gone, simple('Pod', 'web-1-d', RAN)),
    controller('replicaset'),
  );
  await denied(
    'a reference of another name',
    ownedBy({ ...set, metadata: { ...(set['metadata'] as Json), name: 'web-9' } }, simple('Pod', 'web-1-e', RAN)),
    controller('replicaset'),
  );
  await check('a moved tag is denied, the digest that ran is not', async () => {
    await live(stage, other);
    const [ran, moved] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}` as const);
    const { uid } = other['metadata'] as { uid: string };
    stage.history.runs.record({ ownerUid: uid, image: RAN, digest: ran, at: Date.now() - 3_600_000 });
    const rs = ownedBy(other, simple('ReplicaSet', 'scaled-1', RAN));
    if (moved) stage.digests.set(RAN, moved);
    same((await stage.apply([rs], ['create'], controller('deployment'))).code, 1);
    if (ran) stage.digests.set(RAN, ran);
    const asked = await stage.apply([rs], ['create'], controller('deployment'));
    stage.digests.clear();
    same(asked.code, 0, asked.stderr);
    lacks(asked.stderr, 'by its text');
  });
  await check('without grace a restart is denied', async () => {
    await stage.constraints([rule('deny', { 'breakwater/restart-grace': 'none' })]);
    same(
      (await stage.apply([ownedBy(set, simple('Pod', 'web-1-f', RAN))], ['create'], controller('replicaset'))).code,
      1,
    );
    await stage.constraints([rule('deny')]);
  });
}

async function breakGlass(stage: Stage): Promise<void> {
  heading('Break-glass');
  const annotations = { 'breakwater/break-glass': 'OPS-7 payment is down' };
  const pay = simple('Deployment', 'pay', NEW, { annotations });
  await check('is nothing for anybody outside the group', async () => {
    const { code, stderr } = await stage.apply([pay], ['create'], ANN);
    same(code, 1);
    holds(stderr, 'breakwater/break-glass is not honoured: ann is in no group that may');
  });
  await check('lets in what the group marks, with a warning and a record', async () => {
    const { code, stderr } = await stage.apply([pay], ['create'], BOB);
    same(code, 0, stderr);
    holds(
      stderr,
      `Warning: [${NAME}] let in by break-glass (bob: OPS-7 payment is down): container "main" has an invalid image repo "${NEW}"`,
    );
    same(stage.findings.at(-1)?.action, 'break-glass');
  });
  const owner = await stage.get('deployment', 'pay');
  await live(stage, owner);
  await check('goes down to ReplicaSet and pod', async () => {
    const made = await stage.apply(
      [ownedBy(owner, simple('ReplicaSet', 'pay-1', NEW, { annotations }))],
      ['create'],
      controller('deployment'),
    );
    same(made.code, 0, made.stderr);
    holds(made.stderr, 'let in by the break-glass of its owner (bob: OPS-7 payment is down)');
    const set = await stage.get('replicaset', 'pay-1');
    const asked = await stage.apply(
      [ownedBy(set, simple('Pod', 'pay-1-a', NEW))],
      ['create'],
      controller('replicaset'),
    );
    same(asked.code, 0, asked.stderr);
    same((await stage.apply([ownedBy(set, simple('Pod', 'pay-1-b', NEW))], ['create'], ANN)).code, 1, 'a forged owner');
    same(
      (await stage.apply([ownedBy(set, simple('Pod', 'pay-1-c', RAN))], ['create'], controller('replicaset'))).code,
      1,
      'another image',
    );
  });
  await check('ends when the annotation goes', async () => {
    same((await stage.kubectl(['annotate', 'deployment', 'pay', 'breakwater/break-glass-'], undefined, ANN)).code, 0);
    const set = await stage.get('replicaset', 'pay-1');
    same(
      (await stage.apply([ownedBy(set, simple('Pod', 'pay-1-d', NEW))], ['create'], controller('replicaset'))).code,
      1,
    );
  });
}

async function mirrorPods(stage: Stage): Promise<void> {
  heading('Mirror pods');
  const annotations = { 'kubernetes.io/config.mirror': 'abc' };
  const mirror = (name: string): Json => {
    const pod = simple('Pod', name, NEW, { annotations });
    return { ...pod, spec: { ...(pod['spec'] as Json), nodeName: 'n1' } };
  };
  const node: Asker = { user: 'system:node:n1', groups: ['system:nodes'] };
  await check('of a node are recorded, never denied', async () => {
    const { code, stderr } = await stage.apply([mirror('static-n1')], ['create'], node);
    same(code, 0, stderr);
    same(stage.findings.at(-1)?.action, 'mirror-pod');
  });
  await check('of anybody else are denied', async () => {
    same((await stage.apply([mirror('static-ann')], ['create'], ANN)).code, 1);
    same((await stage.apply([mirror('static-n2')], ['create'], { ...node, user: 'system:node:n2' })).code, 1);
  });
}

async function dryRuns(stage: Stage): Promise<void> {
  heading('Dry runs');
  await check('are decided alike and leave no record', async () => {
    const known = stage.findings.length;
    const runs = stage.history.runs.size;
    const { code, stderr } = await stage.apply([simple('Pod', 'tried', NEW)], ['create', '--dry-run=server'], ANN);
    same(code, 1);
    holds(stderr, `[denied by ${NAME}]`);
    same([stage.findings.length, stage.history.runs.size], [known, runs]);
    await stage.apply([simple('Pod', 'tried', NEW)], ['create'], ANN);
    same(stage.findings.length, known + 1);
  });
}
