/** An object that was let in by breaking the glass, and what may follow from it. */
export interface GlassAdmission {
  readonly uid: string;
  /** Uid of the object somebody broke the glass for; its own for that object itself. */
  readonly root: string;
  readonly ticket: string;
  readonly user: string;
  /** Epoch ms. */
  readonly at: number;
  /** The images that were let in. */
  readonly images: readonly string[];
}

/** Which owners were admitted by breaking the glass. */
export interface GlassHistory {
  /** Undefined also when the object it came from was taken out again. */
  admitted(uid: string): GlassAdmission | undefined;
  record(admission: GlassAdmission): void;
  /** What was made for it inherits no longer. */
  forget(uid: string): void;
  /** Plain JSON for `load`, of those admitted last. */
  save(most?: number): unknown;
  load(value: unknown): void;
}

const MOST = 10_000;
const MOST_IMAGES = 64;
const LONGEST_TEXT = 1024;

/** Remembers admissions by break-glass; beyond `most` the oldest are forgotten. */
export function createGlassHistory(most = MOST): GlassHistory {
  const admissions = new Map<string, GlassAdmission>();

  function record(admission: GlassAdmission): void {
    const { uid, images } = admission;
    if (uid === '') return;
    const known = admissions.get(uid)?.images ?? [];
    admissions.delete(uid);
    const all = [...new Set([...known, ...images])].slice(-MOST_IMAGES);
    admissions.set(uid, { ...admission, images: all });
    const [oldest] = admissions.keys();
    if (admissions.size > most && oldest !== undefined) admissions.delete(oldest);
  }

  return {
    record,
    admitted(uid) {
      const found = admissions.get(uid);
      return found && admissions.has(found.root) ? found : undefined;
    },
    forget: (uid) => void admissions.delete(uid),
    save: (limit = most) => (limit <= 0 ? [] : [...admissions.values()].slice(-limit)),
    load(value) {
      for (const entry of Array.isArray(value) ? value : []) {
        const admission = readAdmission(entry);
        const known = admission && admissions.get(admission.uid);
        if (admission && (known === undefined || known.at < admission.at)) record(admission);
      }
    },
  };
}

function readAdmission(value: unknown): GlassAdmission | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { uid, root, ticket, user, at, images } = value as Record<string, unknown>;
  const readable =
    isText(uid) && isText(root) && isText(ticket) && isText(user) && typeof at === 'number' && Array.isArray(images);
  return readable ? { uid, root, ticket, user, at, images: images.filter(isText).slice(0, MOST_IMAGES) } : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT;
}
