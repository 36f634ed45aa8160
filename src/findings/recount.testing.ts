import type { Db } from '../db/database.ts';
import type { Reason, Verdict } from '../model/verdict.ts';

/** What the list should say, made from the verdicts on what is stored and nothing else. */
export async function recount(db: Db) {
  const rows = await db
    .selectFrom('verdicts as v')
    .innerJoin('manifests as m', (join) =>
      join.onRef('m.repository_id', '=', 'v.repository_id').onRef('m.digest', '=', 'v.digest'),
    )
    .innerJoin('repositories as r', 'r.id', 'v.repository_id')
    .select(['r.name', 'v.digest', 'v.document'])
    .where('m.kind', '<>', 'index')
    .execute();
  const list = new Map<string, { statuses: Record<string, number>; firstSeen: number; images: string[] }>();
  for (const { name, digest, document } of rows) {
    const { reasons } = JSON.parse(document) as Verdict;
    for (const [key, lines] of Map.groupBy(reasons.filter(isFinding), keyOf)) {
      const whole = `${name} ${key}`;
      const row = list.get(whole) ?? { statuses: {}, firstSeen: Infinity, images: [] };
      const status = worst(lines);
      row.statuses[status] = (row.statuses[status] ?? 0) + 1;
      row.firstSeen = Math.min(row.firstSeen, ...lines.map(({ firstSeen = Infinity }) => firstSeen));
      row.images.push(digest);
      list.set(whole, row);
    }
  }
  return list;
}

function isFinding({ vulnerability, package: name }: Reason): boolean {
  return vulnerability !== undefined && name !== undefined;
}

function keyOf({ vulnerability, package: name, installed, fixed = '', severity, kev = false }: Reason): string {
  return [vulnerability, name, installed, fixed, severity, kev].join(' ');
}

function worst(lines: readonly Reason[]): string {
  if (lines.some(({ kind }) => kind === 'block')) return 'blocked';
  const warnings = lines.filter(({ kind }) => kind === 'warn');
  if (warnings.some(({ deadline }) => deadline !== undefined)) return 'in-grace';
  if (warnings.length > 0) return 'warned';
  return lines.some(({ vex }) => vex === undefined) ? 'excepted' : 'dismissed';
}

/** Rows of the list by what groups count: as they are counted, and as they are. */
export async function groups(db: Db) {
  const columns = ['repository', 'package', 'statuses', 'traits'] as const;
  const counted = await db
    .selectFrom('finding_groups')
    .select([...columns, 'findings', 'newest'])
    .orderBy('repository')
    .orderBy('package')
    .orderBy('statuses')
    .orderBy('traits')
    .execute();
  const held = await db
    .selectFrom('repository_findings as g')
    .innerJoin('findings as f', 'f.id', 'g.finding_id')
    .innerJoin('finding_packages as k', 'k.name', 'f.package')
    .select(({ fn }) => [
      'g.repository',
      'k.number as package',
      'g.statuses',
      'g.traits',
      fn.countAll<number>().as('findings'),
      fn.max('g.first_seen').as('newest'),
    ])
    .groupBy(['g.repository', 'k.number', 'g.statuses', 'g.traits'])
    .orderBy('g.repository')
    .orderBy('k.number')
    .orderBy('g.statuses')
    .orderBy('g.traits')
    .execute();
  return { counted, held };
}

/** What the list says, in the same form. */
export async function listed(db: Db): ReturnType<typeof recount> {
  const list: Awaited<ReturnType<typeof recount>> = new Map();
  const rows = await db
    .selectFrom('repository_findings as g')
    .innerJoin('findings as f', 'f.id', 'g.finding_id')
    .innerJoin('finding_repositories as r', 'r.number', 'g.repository')
    .selectAll('g')
    .select(['f.id', 'f.vulnerability', 'f.package', 'f.installed', 'f.fixed', 'f.kev', 'f.severity', 'r.name'])
    .execute();
  for (const row of rows) {
    const images = await db
      .selectFrom('image_findings as o')
      .innerJoin('finding_images as i', 'i.number', 'o.image')
      .select('i.digest')
      .where('o.finding_id', '=', row.id)
      .where('o.repository', '=', row.repository)
      .execute();
    const counts = {
      blocked: row.blocked,
      'in-grace': row.in_grace,
      warned: row.warned,
      excepted: row.excepted,
      dismissed: row.dismissed,
    };
    const severity = ['none', 'unknown', 'negligible', 'low', 'medium', 'high', 'critical'][row.severity];
    const key = [row.name, row.vulnerability, row.package, row.installed, row.fixed, severity, row.kev === 1].join(' ');
    list.set(key, {
      statuses: Object.fromEntries(Object.entries(counts).filter(([, images]) => images !== 0)),
      firstSeen: row.first_seen,
      images: images.map(({ digest }) => digest),
    });
  }
  return list;
}
