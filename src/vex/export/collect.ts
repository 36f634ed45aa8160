import type { Db } from '../../db/database.ts';
import type { Finding } from '../../model/finding.ts';
import { compareText } from '../../oci/canonical.ts';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Clocks, clockKeysOf, clockOf, toldSince } from '../../policy/clocks.ts';
import { concernsFinding, concernsImage, isInForce } from '../../policy/exception-match.ts';
import { imagePurl } from '../../scanner/sbom-write/image-purl.ts';
import { VexError } from '../errors.ts';
import type { ImageKnowledge, VexPlace } from '../ports.ts';
import type { VexSource } from '../source.ts';
import { type ExportedException, sayOf } from './said.ts';
import { type ExportEntry, type ExportedImage, type ExportState, inOrder } from './state.ts';

const MOST_IMAGES = 2000;
const MOST_ENTRIES = 200_000;

export interface ExportDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly source: Pick<VexSource, 'weigh'>;
  readonly images: ImageKnowledge;
  /** Host (with port) of this registry, as clients name it. */
  readonly host: string;
  /** Of a project: granted and not revoked. */
  exceptionsOf(projectId: string): Promise<readonly ExportedException[]>;
  /** Of a project: authors as its policy has them. */
  orderOf(projectId: string): Promise<readonly string[]>;
  /** When vulnerabilities were first seen in a repository. */
  clocksOf(repositoryId: string): Promise<Clocks>;
}

/** What to export: everything of a project, one repository of it, or one image or index in that. */
export interface ExportScope {
  readonly project: { readonly id: string; readonly name: string };
  /** Full name. */
  readonly repository?: string;
  readonly digest?: Digest;
}

/** Gathers what is to be said. Throws `VexError` `vex_unknown` for nothing to speak of, `vex_too_large`. */
export async function collectExport(deps: ExportDeps, scope: ExportScope): Promise<ExportState> {
  const places = await placesIn(deps.db, scope);
  const { id: projectId, name } = scope.project;
  const about = scope.digest ? `${scope.repository}@${scope.digest}` : (scope.repository ?? `project ${name}`);
  if (places.length === 0)
    throw new VexError('vex_unknown', `there is no analysed image in ${about}; see: breakwater project show ${name}`);
  if (places.length > MOST_IMAGES)
    throw new VexError(
      'vex_too_large',
      `${about} has more than ${MOST_IMAGES} images; export one repository at a time`,
    );
  const exceptions = await deps.exceptionsOf(projectId);
  const order = await deps.orderOf(projectId);
  const images: ExportedImage[] = [];
  const entries: ExportEntry[] = [];
  for (const place of places) {
    const image = imageOf(deps.host, place);
    images.push(image);
    entries.push(...(await entriesOf(deps, { place, image, exceptions, order })));
    if (entries.length > MOST_ENTRIES)
      throw new VexError(
        'vex_too_large',
        `${about} has more than ${MOST_ENTRIES} findings; export one repository at a time`,
      );
  }
  if (entries.length === 0)
    throw new VexError(
      'vex_unknown',
      `nothing is known against ${about}: there is no finding that a document could speak of`,
    );
  const sorted = inOrder(entries);
  return {
    author: `Breakwater project ${name} at ${deps.host}`,
    namespace: `https://${deps.host}`,
    about,
    images,
    entries: sorted,
    at: sorted.reduce((latest, { said }) => Math.max(latest, said.at), 0),
  };
}

async function entriesOf(
  deps: ExportDeps,
  {
    place,
    image,
    exceptions,
    order,
  }: {
    readonly place: VexPlace;
    readonly image: ExportedImage;
    readonly exceptions: readonly ExportedException[];
    readonly order: readonly string[];
  },
): Promise<readonly ExportEntry[]> {
  const found = await deps.images.findingsOf(place.digest);
  const inventory = await deps.images.inventoryOf(place.digest);
  if (!found || !inventory) return [];
  const now = deps.clock.now();
  const clocks = await deps.clocksOf(place.repositoryId);
  const concerning = exceptions
    .filter((exception) => isInForce(exception, now) && concernsImage(exception, place))
    .toSorted((a, b) => b.until - a.until || compareText(a.id, b.id));
  const firstSeenOf = (finding: Finding): number | undefined => {
    const clock = clockOf(clocks, clockKeysOf(finding));
    return clock && toldSince(clock);
  };
  const weighed = await deps.source.weigh({ place, findings: found.findings, inventory, order }, 'signed');
  return weighed.map(({ finding, weighing }) => ({
    vulnerability: finding.id,
    aliases: finding.aliases.toSorted(compareText),
    image,
    component: componentOf(finding),
    said: sayOf(finding, {
      statement: weighing.decisive,
      exceptions: concerning.filter((exception) => concernsFinding(exception, finding)),
      firstSeen: firstSeenOf(finding) ?? now,
    }),
  }));
}

function componentOf({ package: pkg }: Finding): ExportEntry['component'] {
  return { name: pkg.name, version: pkg.version, purl: pkg.purl.replace(/[?#].*$/, '') };
}

function imageOf(host: string, { repository, digest }: VexPlace): ExportedImage {
  const address = `${host}/${repository}`;
  const purl = imagePurl({ kind: 'image', name: address, repository: address, digest });
  // Repositories here have names that package URLs can hold.
  return { repository: address, digest, purl: purl ?? `pkg:oci/image@${digest.replace(':', '%3A')}` };
}

async function placesIn(db: Db, { project, repository, digest }: ExportScope): Promise<readonly VexPlace[]> {
  let query = db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .innerJoin('images as i', 'i.digest', 'm.digest')
    .select(['m.digest', 'r.id', 'r.name'])
    .where('r.project_id', '=', project.id)
    .where('m.kind', '=', 'image')
    .where('i.inventory_hash', 'is not', null)
    .orderBy('r.name')
    .orderBy('m.digest')
    .limit(MOST_IMAGES + 1);
  if (repository !== undefined) query = query.where('r.name', '=', repository);
  if (digest !== undefined)
    query = query.where((where) =>
      where.or([
        where('m.digest', '=', digest),
        where(
          'm.digest',
          'in',
          where.selectFrom('manifest_children').select('child_digest').where('parent_digest', '=', digest),
        ),
      ]),
    );
  return (await query.execute()).map((row) => ({
    repositoryId: row.id,
    repository: row.name,
    projectId: project.id,
    digest: parseDigest(row.digest),
  }));
}
