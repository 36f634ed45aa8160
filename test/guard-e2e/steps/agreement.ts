import { evaluate } from '../../../src/constraints/evaluate.ts';
import { judgeImage } from '../../../src/constraints/judge-image.ts';
import { rulesOf } from '../../../src/constraints/rules.ts';
import { tryParseReference } from '../../../src/oci/reference.ts';
import { check, heading, same } from '../check.ts';
import { constraint, type Stage } from '../stage.ts';
import { simple } from '../workloads.ts';

const TRUSTED = 'harbor.cksc.a1ck.io';
const NAME = 'require-harbor-repo';
const IMAGES = [
  `${TRUSTED}/front/alpine:3.10`,
  `${TRUSTED}/front/busybox:1`,
  `${TRUSTED}/front/aged:1`,
  'nginx:1.27',
  'docker.io/library/nginx',
  `${TRUSTED}.evil.io/x`,
  `${TRUSTED}:5000/x`,
];

/** One decision about an image: what the registry's gate says, the webhook and the audit say in the same words. */
export async function agreement(stage: Stage): Promise<void> {
  heading('Gate = webhook = audit');
  const blocked = 'CVE-2019-14697 in musl 1.1.22-r2, fixed in 1.1.22-r3';
  stage.verdicts.set(IMAGES[0] ?? '', { kind: 'block', sentence: blocked });
  stage.verdicts.set(IMAGES[1] ?? '', { kind: 'warn', sentence: 'CVE-1 in zlib' });
  stage.verdicts.set(IMAGES[2] ?? '', { kind: 'unknown', sentence: 'last heard of 2026-01-01' });
  await stage.constraints([constraint('K8sAllowedRepos', NAME, 'warn', { repos: [TRUSTED] })]);
  const rules = stage.watcher.rules() ?? rulesOf([]);
  const facts = await stage.facts.factsAbout([]);
  for (const [at, image] of IMAGES.entries()) {
    await check(image, async () => {
      const pod = simple('Pod', `agree-${at}`, image);
      const [rule] = rules.constraints;
      const decided = rule
        ? judgeImage(facts, rule, { place: 'container', name: 'main', image }, tryParseReference(image))
        : [];
      const audited = evaluate({ ...facts, namespaceLabels: () => ({}) }, rules, 'audit.gatekeeper.sh', {
        object: pod,
      });
      const { stderr } = await stage.apply([pod], ['create', '--dry-run=server']);
      const said = stderr
        .split('\n')
        .filter(Boolean)
        .map((line) => line.replace(`Warning: [${NAME}] `, ''));
      same(
        audited.map(({ message }) => message),
        decided.map(({ message }) => message),
      );
      same(
        said,
        decided.map(({ message }) => message),
      );
    });
  }
  stage.verdicts.clear();
}
