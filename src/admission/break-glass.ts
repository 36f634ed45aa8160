import { escape } from '../constraints/messages.ts';
import type { GlassHistory } from './break-glass-history.ts';
import { annotationOf, templateOf } from './object-fields.ts';
import type { AdmissionRequest } from './parse-review.ts';
import { namesSameImage, type Ownership } from './restart.ts';

const BREAK_GLASS_ANNOTATION = 'breakwater/break-glass';

/** Why a denied image is let in all the same. */
export interface BrokenGlass {
  /** Ticket and reason, as written. */
  readonly ticket: string;
  /** Who broke it; of the owner's admission where it is inherited. */
  readonly user: string;
  /** Uid of the owner that was admitted so; undefined when this very request breaks the glass. */
  readonly root: string | undefined;
  /** Whether it goes for an image. */
  covers(image: string): boolean;
}

/** What the break-glass annotation of a request comes to. */
export interface GlassDecision {
  readonly broken?: BrokenGlass;
  /** Why the annotation was not honoured, for whoever wrote it. */
  readonly refused?: string;
}

export interface GlassDeps {
  readonly glass: GlassHistory;
  /** Groups whose members may break the glass. */
  readonly groups: ReadonlySet<string>;
}

const LONGEST_TICKET = 300;
/** "." is no ticket that anybody could look up. */
const LETTERS = /[\p{L}\p{N}]/gu;
const FEWEST_LETTERS = 3;
const NOTHING: GlassDecision = {};

/**
 * Break-glass: a member of a listed group lets an object in by the annotation `breakwater/break-glass: "TICKET reason"` on
 * it or on its pod template. What a controller makes for a living owner that was admitted so follows it, for the images
 * that were let in then; the annotation that controllers copy from owner to child is no permission by itself.
 */
export function breakGlass(
  { glass, groups }: GlassDeps,
  request: AdmissionRequest,
  ownership: Ownership | undefined,
): GlassDecision {
  const inherited = ownership && (glass.admitted(ownership.owner.uid) ?? glass.admitted(ownership.top.uid));
  if (inherited) {
    const { ticket, user, root, images } = inherited;
    return {
      broken: { ticket, user, root, covers: (image) => images.some((one) => namesSameImage(one, image)) },
    };
  }
  const written = ticketOf(request.object);
  if (written === undefined || ownership) return NOTHING;
  const { username = '', groups: own = [] } = request.userInfo ?? {};
  if (!own.some((group) => groups.has(group))) {
    const why = groups.size === 0 ? 'no group may break the glass here' : `${username} is in no group that may`;
    return { refused: `${BREAK_GLASS_ANNOTATION} is not honoured: ${why}` };
  }
  if ((written.match(LETTERS) ?? []).length < FEWEST_LETTERS) {
    return { refused: `${BREAK_GLASS_ANNOTATION} is not honoured: write a ticket, like "OPS-123 payment is down"` };
  }
  return { broken: { ticket: written, user: username, root: undefined, covers: () => true } };
}

/** The annotation of the object or else of its pod template, in one line of visible text; undefined when there is none. */
export function ticketOf(object: unknown): string | undefined {
  const written =
    annotationOf(object, BREAK_GLASS_ANNOTATION) ?? annotationOf(templateOf(object), BREAK_GLASS_ANNOTATION);
  return written === undefined ? undefined : escape(written.replaceAll(/\s+/g, ' ').trim(), LONGEST_TICKET);
}

/** The warning in the place of a denial. */
export function glassWarning(message: string, { ticket, user, root }: BrokenGlass): string {
  const how = root === undefined ? 'let in by break-glass' : 'let in by the break-glass of its owner';
  return `${how} (${escape(user)}: ${ticket}): ${message}`;
}
