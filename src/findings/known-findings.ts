import { createHash } from 'node:crypto';
import { batches } from '../db/batches.ts';
import type { Tx } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import { severityRank } from '../model/severity.ts';
import type { Reason } from '../model/verdict.ts';
import { compareText } from '../oci/canonical.ts';
import { traitsOf } from './traits.ts';

/** What the list takes of a line. */
export type ListedReason = Pick<
  Reason,
  'vulnerability' | 'package' | 'installed' | 'fixed' | 'severity' | 'status' | 'kev' | 'aliases' | 'epss'
>;

/** A line of a verdict about a vulnerability of a package. */
export interface FindingLine {
  readonly reason: ListedReason;
  /** Equal for what is one row of `findings`. */
  readonly identity: string;
  readonly traits: number;
}

/** Lines as they are listed, by line of a verdict: verdicts that are computed together share them. */
export type FindingLines = WeakMap<Reason, FindingLine>;

/**
 * What is stored, by identity, remembered from one transaction to the next. What was remembered in one that failed must be forgotten.
 */
export type KnownFindings = Map<string, Known>;

interface Known {
  readonly id: number;
  /** Number of the package. */
  readonly package: number;
  /** The values that change, as one text. */
  readonly changing: string;
}

/** The line as it is listed; undefined for what is about the image as a whole. */
export function lineOf(reason: Reason, lines: FindingLines): FindingLine | undefined {
  const before = lines.get(reason);
  if (before) return before;
  const { vulnerability, package: name, installed, fixed = '', severity, status = '', kev = false } = reason;
  if (vulnerability === undefined || name === undefined || installed === undefined) return undefined;
  const said = JSON.stringify([vulnerability, name, installed, fixed, severity, status, kev]);
  const traits = traitsOf({ severity, fixable: fixed !== '', kev });
  const line = { reason, traits, identity: createHash('sha256').update(said).digest('base64url').slice(0, 24) };
  lines.set(reason, line);
  return line;
}

/**
 * Numbers of findings by identity, for all of these; those that are new are written down. `newest`: what the lines say of scores
 * and of other names counts from now on.
 */
export async function numbersOf(
  tx: Tx,
  lines: ReadonlyMap<string, FindingLine>,
  known: KnownFindings,
  newest: boolean,
): Promise<(identity: string) => Pick<Known, 'id' | 'package'>> {
  await read(
    tx,
    [...lines.keys()].filter((identity) => !known.has(identity)),
    known,
  );
  // In one order, so that two who write the same ones wait for each other and not both.
  const missing = [...lines.values()]
    .filter(({ identity }) => !known.has(identity))
    .sort((a, b) => compareText(a.identity, b.identity));
  if (missing.length > 0) await write(tx, missing, known);
  if (newest) await renew(tx, lines, known);
  return (identity) => {
    const found = known.get(identity);
    if (!found) throw new Error('a finding that was written down is not there');
    return found;
  };
}

async function read(tx: Tx, identities: readonly string[], known: KnownFindings): Promise<void> {
  for (const batch of batches(identities)) {
    const rows = await tx
      .selectFrom('findings')
      .select(['id', 'identity', 'package_number', 'aliases', 'epss'])
      .where('identity', 'in', batch)
      .execute();
    for (const { id, identity, package_number, ...row } of rows)
      known.set(identity, { id, package: package_number, changing: textOf(row) });
  }
}

async function write(tx: Tx, missing: readonly FindingLine[], known: KnownFindings): Promise<void> {
  const packages = await packageNumbers(tx, missing);
  for (const batch of batches(missing))
    await tx
      .insertInto('findings')
      .values(batch.map((line) => asRow(line, packages)))
      .onConflict((conflict) => conflict.column('identity').doNothing())
      .execute();
  await read(
    tx,
    missing.map(({ identity }) => identity),
    known,
  );
  await writeNames(tx, missing, known);
}

async function packageNumbers(tx: Tx, lines: readonly FindingLine[]): Promise<ReadonlyMap<string, number>> {
  const numbers = new Map<string, number>();
  const names = [...new Set(lines.map(({ reason }) => reason.package ?? ''))].sort(compareText);
  for (const batch of batches(names)) {
    await tx
      .insertInto('finding_packages')
      .values(batch.map((name) => ({ name })))
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
    const rows = await tx
      .selectFrom('finding_packages')
      .select(['name', 'number'])
      .where('name', 'in', batch)
      .execute();
    for (const { name, number } of rows) numbers.set(name, number);
  }
  return numbers;
}

async function writeNames(tx: Tx, lines: readonly FindingLine[], known: KnownFindings): Promise<void> {
  const rows = lines.flatMap(({ identity, reason }) => {
    const id = known.get(identity)?.id;
    const names = new Set([reason.vulnerability ?? '', ...(reason.aliases ?? [])].map((name) => name.toLowerCase()));
    return id === undefined ? [] : [...names].map((name) => ({ name, finding_id: id }));
  });
  for (const batch of batches(rows))
    await tx
      .insertInto('finding_names')
      .values(batch)
      .onConflict((conflict) => conflict.columns(['name', 'finding_id']).doNothing())
      .execute();
}

/** Scores change every day, for what is stored as for what is new. */
async function renew(tx: Tx, lines: ReadonlyMap<string, FindingLine>, known: KnownFindings): Promise<void> {
  const changed = [...lines.values()].flatMap((line) => {
    const before = known.get(line.identity);
    const values = changingOf(line.reason);
    return before === undefined || before.changing === textOf(values) ? [] : [{ line, values, before }];
  });
  for (const { line, values, before } of changed.sort((a, b) => a.before.id - b.before.id)) {
    await tx.updateTable('findings').set(values).where('id', '=', before.id).execute();
    await writeNames(tx, [line], known);
    known.set(line.identity, { ...before, changing: textOf(values) });
  }
}

function asRow({ reason, identity }: FindingLine, packages: ReadonlyMap<string, number>): NewRow<'findings'> {
  const { vulnerability = '', package: name = '', installed = '', fixed = '', severity, status = '', kev } = reason;
  return {
    identity,
    vulnerability,
    package: name,
    package_number: packages.get(name) ?? 0,
    installed,
    fixed,
    severity: severityRank(severity),
    fixable: fixed === '' ? 0 : 1,
    kev: kev === true ? 1 : 0,
    vendor_status: status,
    ...changingOf(reason),
  };
}

function changingOf({ aliases = [], epss }: ListedReason) {
  return { aliases: JSON.stringify(aliases), epss: epss ?? -1 };
}

function textOf({ aliases, epss }: ReturnType<typeof changingOf>): string {
  return `${epss} ${aliases}`;
}
