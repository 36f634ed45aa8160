import { batches } from '../db/batches.ts';
import type { Tx } from '../db/database.ts';
import type { HeldRepository } from '../db/repository-lock.ts';
import { projectOf } from '../model/project-name.ts';
import { type ImmutableTags, immutableBy, readImmutableTags } from '../policy/immutable-tags.ts';
import { selectionText, type TagSelection } from '../policy/tag-selection.ts';
import { RegistryError } from './errors.ts';

/** What is to go: a tag, or content that an immutable tag may need. */
type Removal = { readonly tag: string } | { readonly manifest: string } | { readonly blob: string };

/** Throws `RegistryError('denied')` when a tag may not be moved away from the manifest it points at. */
export function refuseImmutableMove(held: HeldRepository, tag: string, at: string): void {
  const rule = ruleFor(held, tag);
  if (rule) throw denied(held, tag, rule, `it stays at ${at}; push under another tag, or`);
}

/** Throws `RegistryError('denied')` when an immutable tag is to go, or anything that the image under one is made of. */
export async function refuseImmutableContent(tx: Tx, held: HeldRepository, removal: Removal): Promise<void> {
  if (held.immutableTags === null) return;
  for (const tag of await tagsAbove(tx, held.id, removal)) {
    const rule = ruleFor(held, tag);
    if (rule) throw denied(held, tag, rule, 'it cannot be deleted, nor what it is made of;');
  }
}

/** True when a rule keeps the tag where it is. */
export function isImmutable(held: HeldRepository, tag: string): boolean {
  return ruleFor(held, tag) !== undefined;
}

function ruleFor({ immutableTags, name }: HeldRepository, tag: string): TagSelection | undefined {
  const rules: ImmutableTags = readImmutableTags(immutableTags);
  return immutableBy(rules, name.slice(name.indexOf('/') + 1), tag);
}

function denied({ name }: HeldRepository, tag: string, rule: TagSelection, rest: string): RegistryError {
  const project = projectOf(name);
  return new RegistryError(
    'denied',
    `${name}:${tag} is immutable by the rule "${selectionText(rule)}" of project "${project}": ${rest} ask an administrator of the project to change the rule`,
    { detail: { reason: 'immutable_tag', tag, rule: selectionText(rule) } },
  );
}

/** Tags that point at something, or at an index above it, at any depth. */
async function tagsAbove(tx: Tx, repositoryId: string, removal: Removal): Promise<string[]> {
  if ('tag' in removal) return [removal.tag];
  const reached = new Set<string>();
  let level = 'manifest' in removal ? [removal.manifest] : await users(tx, repositoryId, removal.blob);
  while (level.length > 0) {
    for (const digest of level) reached.add(digest);
    level = (await parents(tx, repositoryId, level)).filter((digest) => !reached.has(digest));
  }
  return inBatches([...reached], async (batch) => {
    const tags = tx.selectFrom('tags').select('name').where('repository_id', '=', repositoryId);
    return (await tags.where('digest', 'in', batch).orderBy('name').execute()).map(({ name }) => name);
  });
}

async function parents(tx: Tx, repositoryId: string, children: readonly string[]): Promise<string[]> {
  return inBatches(children, async (batch) => {
    const rows = await tx
      .selectFrom('manifest_children')
      .select('parent_digest')
      .distinct()
      .where('repository_id', '=', repositoryId)
      .where('child_digest', 'in', batch)
      .execute();
    return rows.map(({ parent_digest }) => parent_digest);
  });
}

/** Manifests that list a blob, also those of BuildKit's caches, which are indexes. */
async function users(tx: Tx, repositoryId: string, blob: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('manifest_blobs')
    .select('manifest_digest')
    .distinct()
    .where('repository_id', '=', repositoryId)
    .where('blob_digest', '=', blob)
    .execute();
  return [...rows.map(({ manifest_digest }) => manifest_digest), ...(await parents(tx, repositoryId, [blob]))];
}

async function inBatches<Item>(
  items: readonly string[],
  read: (batch: readonly string[]) => Promise<Item[]>,
): Promise<Item[]> {
  const found: Item[] = [];
  for (const batch of batches(items)) found.push(...(await read(batch)));
  return found;
}
