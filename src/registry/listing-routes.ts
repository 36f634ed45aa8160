import type { FastifyReply } from 'fastify';
import { parseDigest } from '../oci/digest.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import { authenticate, authorize, spend } from './access.ts';
import type { RegistryDeps } from './deps.ts';
import { RegistryError } from './errors.ts';
import { type Exchange, repositoryPath, sendBytes, sendJson } from './exchange.ts';
import { nextLink, parsePage } from './paging.ts';
import type { Caller } from './ports.ts';
import { listReferrers, pageOfList } from './referrers.ts';

/** Most names looked at per query when a catalogue page is filled. */
const CATALOG_BATCH = 1000;

/** GET `/v2/<name>/tags/list`, bytewise order, keyset pages. */
export async function getTags(
  deps: RegistryDeps,
  { request, reply, query }: Exchange,
  name: string,
): Promise<FastifyReply> {
  spend(deps, request, await authorize(deps, request, name, 'pull'), 'pulls');
  const page = parsePage(query);
  const found = await deps.reads.tags(name, page);
  if (!found) throw new RegistryError('name_unknown', `there is no repository "${name}"`);
  linkNext(reply, `${repositoryPath(name)}/tags/list`, page.limit, found.next);
  return sendBytes(reply, 'application/json', found.body);
}

/** GET `/v2/_catalog`: the repositories this caller may pull from. */
export async function getCatalog(deps: RegistryDeps, { request, reply, query }: Exchange): Promise<FastifyReply> {
  const caller = await authenticate(deps, request, 'registry:catalog:*');
  spend(deps, request, caller, 'pulls');
  const page = parsePage(query);
  const found = await visibleRepositories(deps, caller, page.after, page.limit + 1);
  const repositories = found.slice(0, page.limit);
  linkNext(reply, '/v2/_catalog', page.limit, found.length > repositories.length ? repositories.at(-1) : undefined);
  return sendJson(reply, 'application/json', { repositories });
}

async function visibleRepositories(
  deps: RegistryDeps,
  caller: Caller,
  after: string,
  limit: number,
): Promise<string[]> {
  const visible: string[] = [];
  // As many as are wanted, for those who may see all; more and more where most are hidden.
  for (let [last, batch] = [after, Math.min(limit, CATALOG_BATCH)]; visible.length < limit; ) {
    const names = await deps.reads.repositories({ after: last, limit: batch });
    visible.push(...names.filter((name) => caller.may(name, 'pull')));
    if (names.length < batch) break;
    last = names.at(-1) ?? last;
    batch = Math.min(batch * 2, CATALOG_BATCH);
  }
  return visible.slice(0, limit);
}

/** A page of no entries has no next one: it could only be asked for again. */
function linkNext(reply: FastifyReply, path: string, n: number, last: string | undefined): void {
  if (last !== undefined) reply.header('link', nextLink(path, { n, last }));
}

/** GET `/v2/<name>/referrers/<digest>`: an index of the manifests whose subject it is; empty when there are none. */
export async function getReferrers(
  deps: RegistryDeps,
  { request, reply, query }: Exchange,
  name: string,
  reference: string,
): Promise<FastifyReply> {
  spend(deps, request, await authorize(deps, request, name, 'pull'), 'pulls');
  const subject = parseDigest(reference);
  const artifactType = query.get('artifactType') || undefined;
  const { after, limit } = parsePage(query);
  const wanted = { repository: name, subject, artifactType, after, limit };
  const elsewhere = await deps.mirror?.referrers(name, subject);
  const page = elsewhere ? pageOfList(elsewhere, wanted) : await listReferrers(deps.db, wanted);
  if (artifactType !== undefined) reply.header('oci-filters-applied', 'artifactType');
  if (page.next !== undefined) {
    const filter = artifactType === undefined ? {} : { artifactType };
    const n = query.has('n') ? { n: limit } : {};
    reply.header(
      'link',
      nextLink(`${repositoryPath(name)}/referrers/${subject}`, { ...filter, ...n, last: page.next }),
    );
  }
  return sendJson(reply, OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: page.descriptors });
}
