import { check, heading, holds, lacks, same } from '../check.ts';
import { constraint, type Stage } from '../stage.ts';
import { simple, workload } from '../workloads.ts';

const REPOS = { repos: ['harbor.cksc.a1ck.io'] };
const NAME = 'require-harbor-repo';

/** What reaches the person at the other end when there is much to say. */
export async function warnings(stage: Stage): Promise<void> {
  heading('Warnings and denials of many images');
  const containers = Array.from({ length: 50 }, (_, at) => ({
    name: `c-${at}`,
    image: `evil.example.com/some/project/image:${at}`,
  }));
  const many = workload('Pod', 'many', { containers });
  await stage.constraints([constraint('K8sAllowedRepos', NAME, 'warn', REPOS)]);
  await check('warnings arrive whole, the worst first, and the last says how to list the rest', async () => {
    const { code, stderr } = await stage.apply([many], ['create', '--dry-run=server']);
    same(code, 0, stderr);
    const lines = stderr.trim().split('\n');
    for (const [at, line] of lines.slice(0, -1).entries()) {
      same(
        line,
        `Warning: [${NAME}] container "c-${at}" has an invalid image repo "evil.example.com/some/project/image:${at}", allowed repos are ["harbor.cksc.a1ck.io"]`,
      );
    }
    same(
      lines.at(-1),
      `Warning: [${NAME}] and ${50 - (lines.length - 1)} more: kubectl get k8sallowedrepos ${NAME} -ojson | jq .status.violations, or breakwater violations list`,
    );
  });
  await check('a warning with control characters arrives, escaped', async () => {
    const { stderr } = await stage.apply(
      [simple('Pod', 'odd', 'evil\u0007.example.com/x\u0085:1')],
      ['create', '--dry-run=server'],
    );
    holds(stderr, 'evil\\u0007.example.com/x\\u0085:1');
  });
  await stage.constraints([constraint('K8sAllowedRepos', NAME, 'deny', REPOS)]);
  await check('a denial names all 50', async () => {
    const { code, stderr } = await stage.apply([many], ['create', '--dry-run=server']);
    same(code, 1);
    for (const { name } of containers) holds(stderr, `[denied by ${NAME}] container "${name}" has`);
    lacks(stderr, ' more');
  });
  await stage.constraints([
    constraint('K8sAllowedRepos', NAME, 'deny', REPOS),
    constraint('K8sImageDigests', 'digests', 'warn', {}),
  ]);
  await check('warnings of other constraints ride along with a denial', async () => {
    const { code, stderr } = await stage.apply(
      [simple('Pod', 'both', 'evil.example.com/x:1')],
      ['create', '--dry-run=server'],
    );
    same(code, 1);
    holds(stderr, 'Warning: [digests] container "main" uses an image without a digest "evil.example.com/x:1"\n');
    holds(stderr, `denied the request: [denied by ${NAME}] container "main" has an invalid image repo`);
  });
  await stage.constraints([
    constraint('K8sAllowedRepos', NAME, 'warn', REPOS, { annotations: { 'breakwater/compat': 'gatekeeper' } }),
  ]);
  await check('under compat the lines are those of Gatekeeper', async () => {
    const { stderr } = await stage.apply(
      [simple('Pod', 'compat', 'evil.example.com/x:1'), simple('Deployment', 'compat', 'evil.example.com/x:1')],
      ['create', '--dry-run=server'],
    );
    same(
      stderr,
      `Warning: [${NAME}] container <main> has an invalid image repo <evil.example.com/x:1>, allowed repos are ["harbor.cksc.a1ck.io"]\n`,
    );
  });
}
