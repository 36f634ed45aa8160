/** Parts that facts are kept in apart, so that a change of one repository does not change the copies of the others. */
export const SLOTS = 64;

/** The part a repository is in: FNV-1a of its name. */
export function slotOf(repository: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < repository.length; at += 1) {
    hash ^= repository.charCodeAt(at);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % SLOTS;
}
