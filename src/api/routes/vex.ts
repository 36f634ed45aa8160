import { actorOf } from '../../auth/principal.ts';
import { EVERY_PROJECT, type ExceptionRecord } from '../../exceptions/exception.ts';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import { readBounded, StreamError } from '../../platform/streams.ts';
import { findManifestInfo } from '../../registry/content-store.ts';
import { LARGEST_DOCUMENT } from '../../scanner/vex/read-document.ts';
import { clocksOfRepository } from '../../verdicts/clock-store.ts';
import type { VexAuthor } from '../../vex/author.ts';
import type { KeptDocument } from '../../vex/document.ts';
import { type Explained, explainVex } from '../../vex/explain.ts';
import { collectExport, type ExportedException, vexDocument } from '../../vex/export/index.ts';
import type { TakenIn } from '../../vex/take-in.ts';
import * as contract from '../contract/vex.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, type Call, on, time } from '../handler.ts';
import { splitImage } from '../locate-image.ts';

type Import = Call<typeof contract.importVex> | Call<typeof contract.importVexEverywhere>;

export function vexRoutes(deps: ApiDeps): BoundEndpoint[] {
  const { vex, verdicts } = deps;

  async function takeIn(call: Import, project?: { readonly id: string; readonly name: string }) {
    const { name, signature } = call.query;
    const bytes = await readDocument(call.stream);
    const taken = await vex.takeIn({
      by: call.by,
      actor: actorOf(call.by),
      name,
      bytes,
      ...(signature === undefined ? {} : { signature: Buffer.from(signature, 'base64') }),
      ...(project ? { project } : {}),
    });
    return importedView(taken, project?.name);
  }

  async function authorNames(): Promise<ReadonlyMap<string, string>> {
    return new Map((await vex.authors.list()).map(({ id, name }) => [id, name]));
  }

  /** The image as the call names it; it has to lie in the project that the caller may see. */
  async function locate(image: string, project: { readonly id: string; readonly name: string }) {
    const { repository, reference } = splitImage(image);
    const manifest = repository.startsWith(`${project.name}/`)
      ? await findManifestInfo(deps.db, repository, reference)
      : undefined;
    if (!manifest)
      throw new ApiError(
        'not_found',
        `project "${project.name}" has no image ${image}; name it like ${project.name}/app:1`,
      );
    return { repositoryId: manifest.repositoryId, repository, projectId: project.id, digest: manifest.digest };
  }

  return [
    on(contract.addVexAuthor, async ({ by, body }) => {
      const author = await vex.authors.add(by, { ...body, reviewDue: Date.parse(body.reviewDue) });
      await vex.readUnprovenAgain();
      return authorView(author);
    }),
    on(contract.listVexAuthors, async () => ({ items: (await vex.authors.list()).map(authorView) })),
    on(contract.retireVexAuthor, async ({ by, params, body }) => {
      const { reason, revokedAt } = body;
      const since = revokedAt === undefined ? {} : { revokedAt: Date.parse(revokedAt) };
      const { author, change } = await vex.authors.retire(by, params.id, { reason, ...since });
      await vex.renew(change);
      return authorView(author);
    }),

    on(contract.importVex, async (call) => takeIn(call, call.project)),
    on(contract.importVexEverywhere, async (call) => takeIn(call)),
    on(contract.listVex, async ({ project }) => {
      const authors = await authorNames();
      const documents = await vex.documents.list(project.id);
      return { items: documents.map((document) => documentView(document, authors, project.name)) };
    }),
    on(contract.withdrawVex, async ({ by, params, body, project }) => {
      const { document, change } = await vex.documents.withdraw(by, project, params.id, body.reason);
      await vex.renew(change);
      const authors = await authorNames();
      return documentView(document, authors, project.name);
    }),
    on(contract.explainVex, async ({ query: { image, vulnerability }, project }) => {
      const place = await locate(image, project);
      const inventory = await verdicts.inventoryOf(place.digest);
      const found = await verdicts.findingsOf(place.digest);
      if (!inventory || !found)
        throw new ApiError(
          'not_found',
          `${image} has no findings of its own: it is still analysed, an index for several platforms, or nothing that runs`,
        );
      const weighed = { place, findings: found.findings, inventory, order: await orderOf(deps, project.id) };
      const { findings, others } = await explainVex({ ...deps, source: vex.source }, weighed, vulnerability);
      return {
        image,
        digest: place.digest,
        vulnerability,
        findings: findings.map(({ finding, status, statements }) => ({
          package: finding.package.name,
          installed: finding.installed,
          ...(status === undefined ? {} : { status }),
          statements: statements.map(statementView),
        })),
        others: others.map(statementView),
      };
    }),
    on(contract.exportVex, async ({ query: { form, repository, digest }, project }) => {
      if (repository !== undefined && !repository.startsWith(`${project.name}/`))
        throw new ApiError('not_found', `repository "${repository}" does not lie in project "${project.name}"`);
      if (digest !== undefined && repository === undefined)
        throw new ApiError('request_invalid', 'digest: name the repository it lies in as well');
      const state = await collectExport(
        {
          ...deps,
          source: vex.source,
          images: verdicts,
          exceptionsOf: async (id) => exportedExceptions(deps, id),
          orderOf: (id) => orderOf(deps, id),
          clocksOf: (id) => clocksOfRepository(deps.db, id),
        },
        {
          project,
          ...(repository === undefined ? {} : { repository }),
          ...(digest === undefined ? {} : { digest: parseDigest(digest) }),
        },
      );
      return vexDocument(form, state) as Record<string, unknown>;
    }),
  ];
}

async function readDocument(stream: Import['stream']): Promise<Buffer> {
  try {
    return await readBounded(stream, LARGEST_DOCUMENT, 'the document');
  } catch (error) {
    if (error instanceof StreamError) throw new ApiError('too_large', error.message, { cause: error });
    throw error;
  }
}

/** Authors in the order in which the policy of a project believes them. */
async function orderOf({ policies }: ApiDeps, projectId: string): Promise<readonly string[]> {
  return (await policies.effectivePolicy(projectId)).policy.vexAuthors;
}

async function exportedExceptions({ exceptions }: ApiDeps, projectId: string): Promise<readonly ExportedException[]> {
  const own = await exceptions.list({ projectId, state: 'granted' });
  const everywhere = await exceptions.list({ projectId: EVERY_PROJECT, state: 'granted' });
  const records = new Map([...own, ...everywhere].map((record) => [record.id, record]));
  return (await exceptions.granted(projectId)).map((granted) => ({
    ...granted,
    reason: records.get(granted.id)?.reason ?? '',
    ...notAffectedBy(records.get(granted.id)),
  }));
}

function notAffectedBy(record: ExceptionRecord | undefined): Pick<ExportedException, 'notAffected'> {
  if (record?.kind !== 'not-affected') return {};
  return { notAffected: record.justification === undefined ? {} : { justification: record.justification } };
}

function authorView(author: VexAuthor): contract.VexAuthorView {
  const { reviewDue, addedAt, retiredAt, revokedAt, products, statuses, ...same } = author;
  return {
    ...same,
    products: [...products],
    statuses: [...statuses],
    reviewDue: time(reviewDue),
    addedAt: time(addedAt),
    ...(retiredAt === undefined ? {} : { retiredAt: time(retiredAt) }),
    ...(revokedAt === undefined ? {} : { revokedAt: time(revokedAt) }),
  };
}

function documentView(
  document: KeptDocument,
  authors: ReadonlyMap<string, string>,
  project: string | undefined,
): contract.VexDocumentView {
  const { projectId, authorText, authorId, subjects, saidAt, receivedAt, withdrawnAt, problems, ...same } = document;
  return {
    ...same,
    ...(projectId === undefined || project === undefined ? {} : { project }),
    says: authorText,
    ...(authorId === undefined ? {} : { author: authors.get(authorId) ?? authorId }),
    ...(subjects === undefined ? {} : { subjects: [...subjects] as Digest[] }),
    saidAt: time(saidAt),
    receivedAt: time(receivedAt),
    ...(withdrawnAt === undefined ? {} : { withdrawnAt: time(withdrawnAt) }),
    problems: [...problems],
  };
}

function importedView(
  { document, statements, author, requested, left }: TakenIn,
  project: string | undefined,
): contract.ImportedVex {
  const authors = new Map(author ? [[author.id, author.name]] : []);
  return { ...documentView(document, authors, project), statements, requested: [...requested], left };
}

function statementView({ statement, outcome, why }: Explained): contract.ConsideredStatement {
  const { status, author, by, from, at, justification } = statement;
  return {
    status,
    author,
    proven: by !== undefined,
    document: from.name,
    documentId: from.id,
    at: time(at ?? from.saidAt),
    ...(justification === undefined ? {} : { justification }),
    outcome,
    why,
  };
}
