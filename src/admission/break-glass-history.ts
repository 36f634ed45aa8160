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
const MOST_CHARACTERS = 2 * 1024 * 1024;
const LONGEST_TEXT = 1024;

/** Remembers admissions by break-glass; beyond `most`, or too much text, the oldest are forgotten. */
export function createGlassHistory(most = MOST): GlassHistory {
  const admissions = new Map<string, GlassAdmission>();
  let characters = 0;

  function forget(uid: string): void {
    characters -= charactersOf(admissions.get(uid));
    admissions.delete(uid);
  }

  function record(admission: GlassAdmission): void {
    const { uid, root } = admission;
    if (!isText(uid) || !isText(root)) return;
    const known = admissions.get(uid)?.images ?? [];
    forget(uid);
    const kept: GlassAdmission = {
      ...admission,
      ticket: admission.ticket.slice(0, LONGEST_TEXT),
      user: admission.user.slice(0, LONGEST_TEXT),
      images: [...new Set([...known, ...admission.images.filter(isText)])].slice(-MOST_IMAGES),
    };
    admissions.set(uid, kept);
    characters += charactersOf(kept);
    while (admissions.size > 1 && (admissions.size > most || characters > MOST_CHARACTERS)) {
      const [oldest = ''] = admissions.keys();
      forget(oldest);
    }
  }

  return {
    record,
    admitted(uid) {
      const found = admissions.get(uid);
      return found && admissions.has(found.root) ? found : undefined;
    },
    forget,
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

function charactersOf(admission: GlassAdmission | undefined): number {
  if (admission === undefined) return 0;
  const { uid, root, ticket, user, images } = admission;
  return [uid, root, ticket, user, ...images].reduce((sum, text) => sum + text.length, 0);
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
