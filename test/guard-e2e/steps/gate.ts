import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluate } from '../../../src/constraints/evaluate.ts';
import { rulesOf } from '../../../src/constraints/rules.ts';
import { createLink, type Link } from '../../../src/guard/link/link.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { pushAlpine, VULNERABLE_OPENSSL } from '../../support/alpine-image.ts';
import { type BreakwaterServer, startBreakwater } from '../../support/breakwater.ts';
import { eventually } from '../../support/eventually.ts';
import { openWire, type Wire } from '../../support/wire.ts';
import { check, heading, holds, same } from '../check.ts';
import { constraint, type Stage } from '../stage.ts';
import { simple } from '../workloads.ts';

const NAME = 'require-harbor-repo';
const WORST = 'CVE-2024-12797 in libcrypto3 3.3.2-r0';
/** Than every advisory. */
const NEWER = '99.0.0-r0';
const ACCEPT = 'application/vnd.oci.image.manifest.v1+json';

interface Case {
  readonly image: string;
  readonly openssl: string;
  /** `serve`: not refused; whether it has a finding at all changes as time goes by. */
  readonly decision: 'block' | 'warn' | 'serve';
  /** What is said of it; its worst finding unless told. */
  readonly why?: string;
}

/** `front` refuses to serve what has high vulnerabilities, `back` only tells, `strict` refuses a tag. */
const CASES: readonly Case[] = [
  { image: 'front/app:vulnerable', openssl: VULNERABLE_OPENSSL, decision: 'block' },
  { image: 'front/app:fixed', openssl: NEWER, decision: 'serve' },
  { image: 'back/app:vulnerable', openssl: VULNERABLE_OPENSSL, decision: 'warn' },
  { image: 'back/app:fixed', openssl: NEWER, decision: 'serve' },
  { image: 'strict/app:latest', openssl: NEWER, decision: 'block', why: 'the tag latest is not allowed here' },
  { image: 'strict/app:1', openssl: NEWER, decision: 'serve' },
];

/** The same images asked of the registry over HTTP, of the webhook by kubectl, and of what audits with: one decision. */
export async function gate(stage: Stage): Promise<void> {
  heading('The gate over HTTP = webhook = audit');
  const server = await startBreakwater();
  let link: Link | undefined;
  let puller: Wire | undefined;
  try {
    await fill(server);
    link = await follow(stage, server);
    puller = openWire({ url: server.url, ...(await robot(server, 'puller', '*=repository:pull')) });
    await stage.constraints([constraint('K8sAllowedRepos', NAME, 'deny', { repos: [server.host] })]);
    for (const one of CASES) await check(`${one.image}: ${one.decision}`, agree(stage, server, link, puller, one));
  } finally {
    stage.verdicts.clear();
    await puller?.close();
    await link?.stop();
    await server.stop();
  }
}

function agree(stage: Stage, server: BreakwaterServer, link: Link, puller: Wire, one: Case) {
  const { image, decision, why = WORST } = one;
  return async (): Promise<void> => {
    const text = `${server.host}/${image}`;
    const reference = parseReference(text);
    const verdict = await eventually(`a verdict on ${image}`, () => {
      const told = link.facts.verdicts.verdictOf(reference);
      // An allowed image has no line; one that is not judged yet has.
      return told?.kind === 'unknown' ? undefined : { told };
    });
    if (verdict.told) stage.verdicts.set(text, verdict.told);
    const [repository = '', tag = ''] = image.split(':');
    const pulled = await puller.send('GET', `/v2/${repository}/manifests/${tag}`, { accept: ACCEPT });
    same(pulled.status, decision === 'block' ? 412 : 200, pulled.body.toString());

    const pod = simple('Pod', 'gate', text);
    const asked = await stage.apply([pod], ['create', '--dry-run=server']);
    same(asked.code === 0, pulled.status === 200, asked.stderr);
    const rules = stage.watcher.rules() ?? rulesOf([]);
    const facts = await stage.facts.factsAbout([]);
    const context = { ...facts, namespaceLabels: () => ({}) };
    const audited = evaluate(context, rules, 'audit.gatekeeper.sh', { object: pod });
    const [line = ''] = audited.map(({ message }) => message);
    same(asked.stderr === '', line === '', `${asked.stderr}${line}`);
    holds(asked.stderr, line);
    if (decision === 'serve') return;
    for (const whole of [asked.stderr, line]) {
      holds(whole, decision === 'block' ? 'has a blocked image' : 'has an image with findings');
      holds(whole, why);
    }
    if (decision === 'block') holds(pulled.body.toString(), why);
  };
}

async function fill(server: BreakwaterServer): Promise<void> {
  await done(server.cli(['project', 'create', 'front', '--block', 'high']));
  await done(server.cli(['project', 'create', 'strict', '--block', 'off', '--warn', 'high']));
  const tags = ['--set', 'disallowedTags.globs=["latest"]', '--set', 'disallowedTags.action=block', '--reason', 'e2e'];
  await done(server.cli(['policy', 'set', 'strict', ...tags]));
  await done(server.cli(['project', 'create', 'back', '--block', 'off', '--warn', 'high']));
  const wire = openWire({ url: server.url, user: 'admin', password: server.password });
  try {
    for (const { image, openssl } of CASES) {
      const [repository = '', tag = ''] = image.split(':');
      await pushAlpine(wire, repository, tag, openssl);
    }
  } finally {
    await wire.close();
  }
}

/** What a guard beside this server knows. */
async function follow(stage: Stage, server: BreakwaterServer): Promise<Link> {
  const { user, password } = await robot(server, 'guard', '*=guard:read,verdict:read');
  const tokenFile = join(server.dataDir, 'guard-token');
  await writeFile(tokenFile, `${user}:${password}\n`, { mode: 0o600 });
  const link = createLink({
    settings: { cluster: 'e2e', server: server.url, tokenFile },
    clock: systemClock,
    logger: silentLogger,
    kubernetes: stage.client,
    snapshot: { inParts: () => undefined },
    isLeader: () => false,
  });
  await link.start();
  return link;
}

async function robot(server: BreakwaterServer, name: string, scope: string) {
  const { stdout } = await done(server.cli(['robot', 'create', name, '--scope', scope, '-o', 'json']));
  const made = JSON.parse(stdout) as { name: string; secret: string };
  return { user: made.name, password: made.secret };
}

async function done<Outcome extends { code: number; screen: string }>(outcome: Promise<Outcome>): Promise<Outcome> {
  const result = await outcome;
  same(result.code, 0, result.screen);
  return result;
}
