import { startBreakwater } from '../../support/breakwater.ts';
import type { TestCluster } from '../../support/cluster.ts';
import { deployment, pod } from '../../support/workloads.ts';
import { ended, eventually, holds, matches, same } from '../check.ts';
import { dayAfter, OFFICER, type Stage } from '../stage.ts';
import { say, typedWords } from '../terminal.ts';

const TRUSTED = 'harbor.cksc.a1ck.io';
const IMAGE = 'harbor.example.com/demo/welkin-user-demo:1.16.0';
/** Design, section 5.4, character for character. */
const SENTENCE = `container "welkin-user-demo" has an invalid image repo "${IMAGE}", allowed repos are ["${TRUSTED}"]`;
const CONSTRAINT = 'k8sallowedrepos.constraints.gatekeeper.sh';
const NAME = 'require-harbor-repo';
const BLOCKED =
  /has a blocked image "[^"]+\/front\/alpine:3\.10": .*CVE-2021-36159 in apk-tools 2\.10\.6-r0 \(fixed in 2\.10\.7-r0\)/;

interface Violation {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly enforcementAction: string;
  readonly message: string;
}

/** The cluster warns by default, denies when told to, names blocked images at apply time, and lists what runs already. */
export async function guardCluster(stage: Stage): Promise<void> {
  await trust(stage, TRUSTED);
  const cluster = await connectCluster(stage);
  const manifests = await stage.breakwater('admin', ['guard', 'manifests'], { lines: 10 });
  ended(manifests, 0, 'what the cluster needs is printed');
  const applied = await kubectl(stage, cluster, ['apply', '-f', '-'], manifests.stdout);
  ended(applied, 0, 'and is ready for kubectl apply');
  holds(
    applied.stdout,
    `customresourcedefinition.apiextensions.k8s.io/${CONSTRAINT} created`,
    'the constraint kind is there',
  );
  await eventually('the webhook to be asked', async () => {
    const asked = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], pod('warm', 'c', IMAGE));
    return asked.stderr.includes(NAME) ? true : undefined;
  });

  say('on by default, in warn mode: the resource is created, and whoever applies it reads why it should not be');
  const warned = await kubectl(stage, cluster, ['apply', '-f', '-'], pod('warned', 'welkin-user-demo', IMAGE));
  same(
    [warned.code, warned.stdout, warned.stderr],
    [0, 'pod/warned created\n', `Warning: [${NAME}] ${SENTENCE}\n`],
    'the warning in the exact words',
  );
  const template = await kubectl(stage, cluster, ['apply', '-f', '-'], deployment('web', 'nginx:1.27'));
  holds(
    template.stderr,
    `Warning: [${NAME}] container "main" has an invalid image repo "nginx:1.27"`,
    'templates are judged too',
  );

  await denyWhenTold(stage, cluster);
  await nameBlockedImages(stage, cluster);
  await listWhatRuns(stage, cluster);
}

async function trust(stage: Stage, entry: string): Promise<void> {
  const analysis = [
    '--criteria',
    'who publishes, how it is built, signed and patched',
    '--findings',
    'signed releases, criticals fixed within a week',
  ];
  const rest = ['--owner', 'platform team', '--review-due', dayAfter(180)];
  const added = await stage.breakwater('admin', ['trust', 'add', entry, ...analysis, ...rest]);
  ended(added, 0, `${entry} is proposed with its risk analysis`);
  const id = /^id +(\S+)/m.exec(added.stdout)?.[1] ?? '';
  const alone = await stage.breakwater('admin', ['trust', 'approve', id, '--reason', 'I say so']);
  ended(alone, 3, 'nobody approves what he proposed himself');
  const approved = await stage.breakwater(OFFICER, ['trust', 'approve', id, '--reason', 'analysis read, agreed']);
  ended(approved, 0, 'somebody else approves it');
  matches(approved.stdout, /^state +approved/m, 'it is trusted now');
}

/** The guard learns of its cluster by a setting, so the server starts once more. */
async function connectCluster(stage: Stage): Promise<TestCluster> {
  const cluster = await stage.cluster();
  const before = stage.server();
  same(await before.stop(), 0, 'the server ends cleanly');
  const after = await startBreakwater({
    dataDir: stage.dataDir,
    ports: before.ports,
    adminPassword: null,
    environment: {
      BREAKWATER_KUBECONFIG: cluster.kubeconfig,
      BREAKWATER_CLUSTER_NAME: 'production',
      BREAKWATER_AUDIT_INTERVAL_SECONDS: '5',
    },
  });
  stage.setServer({ ...after, password: stage.adminPassword });
  return cluster;
}

function kubectl(stage: Stage, cluster: TestCluster, args: readonly string[], input?: string) {
  const command = `${input === undefined ? '' : 'cat … | '}kubectl ${typedWords(args)}`;
  const running = cluster
    .kubectl(args, input)
    .then((outcome) => ({ ...outcome, screen: outcome.stderr + outcome.stdout }));
  return stage.show('operator', command, running);
}

async function denyWhenTold(stage: Stage, cluster: TestCluster): Promise<void> {
  await enforce(stage, cluster, 'deny');
  const denied = await eventually('the denial', async () => {
    const outcome = await cluster.kubectl(
      ['create', '--dry-run=server', '-f', '-'],
      pod('d', 'welkin-user-demo', IMAGE),
    );
    return outcome.code === 0 ? undefined : outcome;
  });
  same(denied.code, 1, 'it is denied');
  const shown = await kubectl(stage, cluster, ['apply', '-f', '-'], pod('denied', 'welkin-user-demo', IMAGE));
  holds(
    shown.stderr,
    `admission webhook "validation.gatekeeper.sh" denied the request: [denied by ${NAME}] ${SENTENCE}\n`,
    'the denial in the exact words',
  );
  const missing = await kubectl(stage, cluster, ['get', 'pod', 'denied']);
  holds(missing.stderr, 'not found', 'the pod is not there');
  await enforce(stage, cluster, 'warn');
}

async function enforce(stage: Stage, cluster: TestCluster, action: string): Promise<void> {
  const patch = JSON.stringify({ spec: { enforcementAction: action } });
  ended(
    await kubectl(stage, cluster, ['patch', CONSTRAINT, NAME, '--type=merge', '-p', patch]),
    0,
    `it is told to ${action}`,
  );
}

/** Our own registry is trusted; what it would refuse to serve is named before a node tries to pull it. */
async function nameBlockedImages(stage: Stage, cluster: TestCluster): Promise<void> {
  const { host } = stage.server();
  await trust(stage, host);
  const manifests = await stage.breakwater('admin', ['guard', 'manifests'], { lines: 3 });
  ended(
    await kubectl(stage, cluster, ['apply', '-f', '-'], manifests.stdout),
    0,
    'the cluster learns of the new source',
  );
  const blocked = `${host}/front/alpine:3.10`;
  await eventually('the constraint to hold the new source', async () => {
    const asked = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], pod('b', 'main', blocked));
    return asked.stderr.includes('invalid image repo') ? undefined : true;
  });
  const named = await kubectl(stage, cluster, ['apply', '-f', '-'], pod('blocked', 'main', blocked));
  ended(named, 0, 'it is created, as the constraint only warns');
  matches(named.stderr, BLOCKED, 'and the worst of it is named at apply time');
  const clean = await kubectl(stage, cluster, ['apply', '-f', '-'], pod('served', 'main', `${host}/back/alpine:3.10`));
  ended(clean, 0, 'what back serves is created');
  same(clean.stderr.includes('blocked'), false, 'and is not called blocked');
}

async function listWhatRuns(stage: Stage, cluster: TestCluster): Promise<void> {
  const audited = await stage.breakwater('admin', ['audit', 'run']);
  ended(audited, 0, 'the cluster is audited');
  matches(audited.stdout, /^cluster +production$/m, 'by its name');
  const violations = await eventually('violations in the status', async () => {
    const read = await cluster.kubectl(['get', CONSTRAINT, NAME, '-ojson']);
    const { status } = JSON.parse(read.stdout) as { status?: { violations?: readonly Violation[] } };
    return status?.violations;
  });
  const documented = `kubectl get ${CONSTRAINT} ${NAME} -ojson | jq .status.violations`;
  const printed = cluster.kubectl(['get', CONSTRAINT, NAME, '-ojson']);
  const jq = printed.then(({ stdout }) => stage.run('jq', ['.status.violations'], { input: stdout }));
  const shown = await stage.show('operator', documented, jq);
  same(JSON.parse(shown.stdout) as unknown, violations as unknown, 'the documented command prints them');
  const warned = violations.find(({ name }) => name === 'warned');
  same(
    [warned?.kind, warned?.namespace, warned?.enforcementAction, warned?.message],
    ['Pod', 'default', 'warn', SENTENCE.replace(`["${TRUSTED}"]`, `["${stage.server().host}", "${TRUSTED}"]`)],
    'with the bare message',
  );
  same(
    violations.map(({ name }) => name).toSorted(),
    ['blocked', 'warned', 'web'],
    'everything that runs and should not, once, at the object that owns it',
  );
  const listed = await stage.breakwater('admin', ['audit', 'violations']);
  holds(listed.stdout, 'front/alpine:3.10', 'the same is kept here, uncut');
}
