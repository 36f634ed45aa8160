import type { Principal } from '../auth/principal.ts';
import { canonicalHash } from '../oci/canonical.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { readVexDocument } from '../scanner/vex/read-document.ts';
import { objectionToAuthor, type VexAuthor } from './author.ts';
import type { KeptDocument } from './document.ts';
import { changeOf, type DocumentStore } from './document-store.ts';
import { VexError } from './errors.ts';
import type { Rejudging } from './ports.ts';
import { type RequestingDeps, requestExceptions } from './requests.ts';
import { signerOf } from './signer.ts';

/** Clocks differ by a little; what is further ahead is from the future. */
const SKEW_MS = 5 * 60_000;

export interface TakeInDeps extends RequestingDeps {
  readonly documents: DocumentStore;
  readonly rejudging: Rejudging;
}

/** A document on its way in. */
export interface Incoming {
  /** Who hands it in or pushed it; absent: nobody who could ask for anything. */
  readonly by?: Principal;
  /** Whom the ledger names. */
  readonly actor: Parameters<DocumentStore['keep']>[0];
  readonly name: string;
  readonly bytes: Buffer;
  /** Detached, over the bytes. */
  readonly signature?: Buffer;
  /** Absent: it is to hold in every project. */
  readonly project?: { readonly id: string; readonly name: string };
  /** Where it hangs, when it does: it is about no other images. */
  readonly attached?: { readonly repositoryId: string; readonly manifest: Digest; readonly subject?: Digest };
}

/** What became of a document. */
export interface TakenIn {
  readonly document: KeptDocument;
  /** Statements that were read; whether they count is told by `author`. */
  readonly statements: number;
  /** The declared author that signed it; absent: nothing in it counts. */
  readonly author?: VexAuthor;
  /** Exceptions that were asked for instead, and those that were not because there are too many. */
  readonly requested: readonly string[];
  readonly left: number;
}

/**
 * Takes a VEX document in: what a declared author signed counts from now on and is judged by at once; of everything else requests for
 * exceptions are made. Nothing is kept of a document that is refused. Throws `VexError`.
 */
export async function takeIn(deps: TakeInDeps, incoming: Incoming): Promise<TakenIn> {
  const { name, bytes, project, attached, by } = incoming;
  const read = await readVexDocument(bytes, name, incoming.signature);
  if ('refused' in read) throw new VexError('vex_invalid', `${name} ${read.refused}`);
  const now = deps.clock.now();
  const saidAt = read.statements.reduce<number | undefined>(
    (latest, { at }) => (at === undefined || (latest !== undefined && latest >= at) ? latest : at),
    undefined,
  );
  if (saidAt !== undefined && saidAt > now + SKEW_MS)
    throw new VexError(
      'vex_invalid',
      `${name} is from the future: it says something at ${toRfc3339(saidAt)}, and it is ${toRfc3339(now)}; set the clock where it was made right`,
    );
  const author = await signerOf(deps.db, read.signatures, now);
  const objection = author && objectionToAuthor(author, now);
  if (objection !== undefined && !attached)
    throw new VexError('vex_revoked', `${name} is signed, but ${objection}; nothing of it was kept`);
  if (!author && !project)
    throw new VexError(
      'vex_unsigned',
      `${name} is not signed by a declared author, so it cannot hold for every project; sign it, declare its author, or import it into one project, where it becomes requests for exceptions`,
    );
  const subjects = read.subjects ?? (attached?.subject === undefined ? undefined : [attached.subject]);
  const id = canonicalHash([project?.id ?? '', read.content, attached?.subject ?? '']).slice(
    'sha256:'.length,
    'sha256:'.length + 32,
  );
  const before = await deps.documents.find(id);
  if (before?.withdrawnAt !== undefined)
    throw new VexError(
      'vex_invalid',
      `${name} was withdrawn here at ${toRfc3339(before.withdrawnAt)}, and does not come back`,
    );
  // The same words without their signature take nothing from those with it.
  if (before?.authorId !== undefined && !author)
    return { document: before, statements: read.statements.length, requested: [], left: 0 };
  const document: KeptDocument = {
    id,
    ...(project ? { projectId: project.id } : {}),
    name,
    digest: digestOf(bytes),
    format: read.format,
    authorText: read.author.slice(0, 500),
    ...(author ? { authorId: author.id } : {}),
    ...(subjects ? { subjects } : {}),
    saidAt: saidAt ?? now,
    // Of what came twice the first time counts: a key may have been revoked since.
    receivedAt: before?.receivedAt ?? now,
    receivedBy: typeof incoming.actor === 'string' ? incoming.actor : incoming.actor.name,
    problems: read.problems,
  };
  const change = changeOf(document);
  await deps.documents.keep(
    incoming.actor,
    {
      ...document,
      statements: read.statements,
      ...(attached ? { manifest: { repositoryId: attached.repositoryId, digest: attached.manifest } } : {}),
    },
    { change, ...(project ? { project: project.name } : {}) },
  );
  const counted = { document, statements: read.statements.length, requested: [], left: 0 };
  if (author) {
    await deps.rejudging.renew(change);
    return { ...counted, author };
  }
  if (!project || !by) return counted;
  const asked = await requestExceptions(deps, {
    by,
    project,
    document,
    statements: read.statements,
    ...(attached && subjects ? { images: subjects } : {}),
  });
  return { ...counted, ...asked };
}
