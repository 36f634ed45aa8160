/** What other domains of this process may do with the registry's content, without going through HTTP. */
export { findBlob, linkBlob, linkPushedBlob } from './blob-links.ts';
export {
  findManifestInfo,
  listManifests,
  manifestBlobs,
  manifestChildren,
  manifestParents,
} from './manifest-reader.ts';
export { setTag, storeManifest } from './manifest-writer.ts';
export {
  ensureRepository,
  findRepository,
  listRepositories,
  type Repository,
} from './repositories.ts';
export { listTags, tagsOf } from './tags.ts';
