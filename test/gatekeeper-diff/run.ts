import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRandom } from '../../dev/fuzz/random.ts';
import { startCluster } from '../support/cluster.ts';
import {
  applied,
  applyGatekeeperDefinitions,
  applyGatekeeperPods,
  type Gatekeeper,
  type GatekeeperProcess,
  gatekeeperLibrary,
  prepareGatekeeper,
  startGatekeeperProcess,
  startGatekeeperWith,
} from '../support/gatekeeper.ts';
import { applyGuardDefinitions, startGuard } from '../support/guard.ts';
import { createAsker } from './ask.ts';
import { constraintSet, KINDS, probeConstraints } from './constraints.ts';
import { causeOf, type Difference, EXPLAINED, same } from './differences.ts';
import { generatedCase } from './reviews.ts';
import { put, removeBroken, removeConstraints, type Side, untilObserved, untilProbed } from './side.ts';
import { auditedSince, statusDifference } from './statuses.ts';
import { storedObjects } from './stored-objects.ts';
import { configObject, expansionObjects, namespaceObjects } from './surroundings.ts';

/**
 * Gives generated constraints, objects and operations to the real Gatekeeper and to this guard, each beside an API server of its
 * own, and compares what they answer, and what their audits write. The same seed gives the same cases.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '40' },
    reviews: { type: 'string', default: '130' },
    audits: { type: 'string', default: '5' },
    stored: { type: 'string', default: '300' },
    json: { type: 'string' },
  },
});
const POD = 'gk';
const AT_ONCE = 4;
const SHOWN = 3;

const differences: Difference[] = [];
const explained = new Map<string, number>();
const statusDifferences: string[] = [];
const refusals: string[] = [];
const reviewed = { cases: 0, denied: 0, warned: 0, silent: 0 };
const audited = { statuses: 0, violations: 0 };

await everyExplanationIsWritten();
const folder = await mkdtemp(join(tmpdir(), 'breakwater-gatekeeper-diff-'));
const closing: (() => Promise<void> | void)[] = [() => rm(folder, { recursive: true, force: true })];
try {
  await compareAll();
} finally {
  for (const close of closing.reverse()) await close();
}
process.exitCode = report() ? 0 : 1;

/** What is meant to differ stands in the documentation, or it is not meant. */
async function everyExplanationIsWritten(): Promise<void> {
  const text = await readFile(join(import.meta.dirname, '../../docs/guard/compatibility.md'), 'utf8');
  const missing = EXPLAINED.filter(({ name }) => !text.includes(`| ${name} |`));
  if (missing.length > 0)
    throw new Error(`docs/guard/compatibility.md does not name: ${missing.map(({ name }) => name).join(', ')}`);
}

async function compareAll(): Promise<void> {
  const [theirCluster, ourCluster] = [await startCluster(), await startCluster()];
  closing.push(
    () => theirCluster.stop(),
    () => ourCluster.stop(),
  );
  const library = gatekeeperLibrary();
  const templates = await Promise.all(
    Object.values(KINDS).map((name) => readFile(join(library, 'library/general', name, 'template.yaml'), 'utf8')),
  );
  await prepareGatekeeper(theirCluster, [POD]);
  const webhook: GatekeeperProcess = {
    cluster: theirCluster,
    folder,
    pod: POD,
    operations: ['webhook', 'status', 'generate'],
  };
  let gatekeeper: Gatekeeper | undefined = await startGatekeeperWith(webhook, templates, Object.keys(KINDS));
  closing.push(async () => gatekeeper?.stop());
  await applyGatekeeperDefinitions(ourCluster, [
    'configs.config.gatekeeper.sh',
    'expansiontemplate.expansion.gatekeeper.sh',
  ]);
  await applyGuardDefinitions(ourCluster);
  await applied(
    ourCluster,
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gatekeeper-system' } }),
  );
  await applyGatekeeperPods(ourCluster, [POD]);
  const guard = await startGuard({ cluster: ourCluster, folder: join(folder, 'ours') });
  closing.push(() => guard.stop());
  const sides: readonly [Side, Side] = [
    { name: 'Gatekeeper', cluster: theirCluster, asker: createAsker(gatekeeper.webhookUrl, AT_ONCE) },
    { name: 'Breakwater', cluster: ourCluster, asker: createAsker(guard.webhookUrl, AT_ONCE) },
  ];
  for (const side of sides) {
    closing.push(() => side.asker.close());
    await put(side, namespaceObjects());
  }
  for (let round = 0; round < Number(values.rounds); round += 1) {
    await setRules(sides, round);
    await untilProbed(sides[0], `${round}`);
    await compareReviews(sides, round);
    console.log(`round ${round + 1}: ${reviewed.cases} reviews, ${differences.length} unexplained differences so far`);
  }
  if (Number(values.audits) === 0) return;
  // A Gatekeeper that finds a constraint it refuses when it starts never becomes ready.
  for (const side of sides) await removeConstraints(side);
  await gatekeeper.stop();
  gatekeeper = await startGatekeeperProcess({
    ...webhook,
    operations: ['audit', 'status', 'generate'],
    flags: ['--audit-interval=5'],
  });
  const objects = storedObjects(createRandom(Number(values.seed), 1_000_000), Number(values.stored));
  for (const side of sides) await put(side, objects);
  for (let round = 0; round < Number(values.audits); round += 1) {
    await setRules(sides, 10_000 + round);
    await compareAudits(sides);
    console.log(`audit ${round + 1}: ${audited.statuses} statuses, ${statusDifferences.length} differences so far`);
  }
}

/** Gives both sides the rules of a round, and waits until both judge by them. */
async function setRules(sides: readonly [Side, Side], round: number): Promise<void> {
  const random = createRandom(Number(values.seed), round);
  const objects = [
    ...constraintSet(random),
    ...probeConstraints(`${round}`),
    ...expansionObjects(random),
    configObject(random, `${round}`),
  ];
  for (const side of sides) await removeBroken(side, objects);
  const [theirs, ours] = [await put(sides[0], objects), await put(sides[1], objects)];
  for (const name of new Set([...theirs.keys(), ...ours.keys()]))
    if (theirs.has(name) !== ours.has(name))
      refusals.push(`${name}: ${theirs.get(name) ?? 'taken'} there, ${ours.get(name) ?? 'taken'} here`);
  await untilObserved(sides[0], [POD]);
  await untilProbed(sides[1], `${round}`);
}

async function compareReviews(sides: readonly [Side, Side], round: number): Promise<void> {
  const cases = Array.from({ length: Number(values.reviews) }, (_, index) =>
    generatedCase(createRandom(Number(values.seed) + 7, round * 10_000 + index)),
  );
  const waiting = cases.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const one of waiting) {
        const [theirs, ours] = await Promise.all([sides[0].asker.ask(one.body), sides[1].asker.ask(one.body)]);
        take({ case: one, theirs, ours });
      }
    }),
  );
}

function take(difference: Difference): void {
  const { theirs, ours } = difference;
  reviewed.cases += 1;
  if (!theirs.allowed) reviewed.denied += 1;
  else if (theirs.warnings.length > 0) reviewed.warned += 1;
  else reviewed.silent += 1;
  if (same(theirs, ours)) return;
  const reason = EXPLAINED.find((one) => one.explains(difference));
  if (reason) explained.set(reason.name, (explained.get(reason.name) ?? 0) + 1);
  else differences.push(difference);
}

async function compareAudits(sides: readonly [Side, Side]): Promise<void> {
  // Timestamps are whole seconds; an audit that began in this one may not have seen everything.
  const since = (Math.floor(Date.now() / 1000) + 1) * 1000;
  const [theirs, ours] = await Promise.all(sides.map((side) => auditedSince(side, since)));
  for (const status of theirs ?? []) {
    audited.statuses += 1;
    audited.violations += Number(status.totalViolations ?? 0);
    const found = statusDifference(
      status,
      ours?.find(({ constraint }) => constraint === status.constraint),
    );
    if (found !== undefined) statusDifferences.push(found);
  }
}

function report(): boolean {
  console.log(
    `\n${reviewed.cases} reviews (seed ${values.seed}): Gatekeeper denied ${reviewed.denied}, warned about ${reviewed.warned}, said nothing about ${reviewed.silent}`,
  );
  console.log(`${audited.statuses} audit statuses with ${audited.violations} violations in total`);
  for (const [name, count] of explained) console.log(`explained, ${name}: ${count}`);
  const groups = Object.groupBy(differences, causeOf);
  const sorted = Object.entries(groups).sort(([, a = []], [, b = []]) => b.length - a.length);
  for (const [cause, members = []] of sorted) {
    console.log(`\n${members.length} × ${cause}`);
    for (const { case: one, theirs, ours } of members.slice(0, SHOWN))
      console.log(
        `  review ${one.body.slice(0, 3000)}\n  there  ${JSON.stringify(theirs)}\n  here   ${JSON.stringify(ours)}`,
      );
  }
  for (const line of refusals) console.log(`refused by one: ${line}`);
  for (const line of statusDifferences) console.log(`audit: ${line}`);
  const unexplained = differences.length + statusDifferences.length + refusals.length;
  console.log(
    `\n${reviewed.cases + audited.statuses} compared, ${[...explained.values()].reduce((a, b) => a + b, 0)} explained differences, ${unexplained} unexplained differences`,
  );
  if (values.json !== undefined)
    void writeFile(
      values.json,
      JSON.stringify({ reviewed, audited, differences, statusDifferences, refusals }, null, 1),
    );
  return unexplained === 0 && reviewed.cases + audited.statuses > 0;
}
