/** What other domains of this process may do with the registry's content, without going through HTTP. */
export { findBlob, type LinkedBlob, linkBlob, unlinkBlob } from './blob-links.ts';
export {
  type BlobReference,
  findManifest,
  findManifestInfo,
  listManifests,
  type ManifestChild,
  type ManifestInfo,
  type ManifestSummary,
  manifestBlobs,
  manifestChildren,
  manifestParents,
  type StoredManifest,
} from './manifest-reader.ts';
export { deleteManifest, deleteTag, type ManifestToStore, setTag, storeManifest } from './manifest-writer.ts';
export {
  type ContentDeps,
  deleteProjectContent,
  deleteRepository,
  ensureRepository,
  findRepository,
  listRepositories,
  type Repository,
} from './repositories.ts';
export { listTags, type Tag, tagsOf } from './tags.ts';
