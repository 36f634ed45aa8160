import type { Constraint, MessageStyle } from './constraint.ts';
import type { WorkloadImage } from './workload.ts';

const LONGEST_VALUE = 400;
const LONGEST_LIST = 2000;
/** Controls, line and paragraph separators, and characters that turn the direction of text. */
const UNSAFE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const WELKIN_PAGE = 'https://elastisys.io/welkin/user-guide/safeguards/enforce-trusted-registries/';

/** The bare sentence about an image that is in no trusted source, in the constraint's style. */
export function untrustedMessage(constraint: Constraint, workload: WorkloadImage): string {
  const { place, name, image } = workload;
  const list = listText(constraint.repos ?? []);
  switch (constraint.style) {
    case 'gatekeeper':
      return `${plainPlace(place)} <${escape(name)}> has an invalid image repo <${escape(image)}>, allowed repos are ${list}`;
    case 'welkin-current':
      return (
        `The ${spokenPlace(place)} named <${escape(name)}> does not have an allowed image registry <${escape(image)}>, ` +
        `allowed registries are <${list}>. Elastisys Welkin® requires that all images come from trusted registries. ` +
        `Read more at ${WELKIN_PAGE}`
      );
    default:
      return `${plainPlace(place)} ${quote(name)} has an invalid image repo ${quote(image)}, allowed repos are ${list}`;
  }
}

/** The line about a trusted image that the registry refuses or warns about; `sentence` names the worst of it. */
export function verdictMessage(workload: WorkloadImage, kind: 'block' | 'warn', sentence: string): string {
  const what = kind === 'block' ? 'a blocked image' : 'an image with findings';
  return `${plainPlace(workload.place)} ${quote(workload.name)} has ${what} ${quote(workload.image)}: ${escape(sentence, 1000)}`;
}

/** The line that follows an untrusted image when a copy of it is served here. */
export function mirrorHint(image: string, address: string): string {
  return `a copy of ${quote(image)} is served as ${quote(address)}: use that address`;
}

/** What stands before a message: `[denied by NAME] ` is the documented form of a denial, `[NAME] ` everything else. */
export function linePrefix(style: MessageStyle, constraint: string, denies: boolean): string {
  return denies && style === 'welkin-docs' ? `[denied by ${constraint}] ` : `[${constraint}] `;
}

/** Makes foreign text safe to print on one line: controls become escapes, length is bounded. */
function escape(text: string, longest = LONGEST_VALUE): string {
  const cut = text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
  return cut.replace(UNSAFE, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

function quote(text: string): string {
  return `"${escape(text).replaceAll('"', '\\"')}"`;
}

/** `["a", "b"]`; a very long list is cut with a count. */
function listText(repos: readonly string[]): string {
  const parts: string[] = [];
  let length = 0;
  for (const repo of repos) {
    const part = quote(repo);
    if (length + part.length > LONGEST_LIST) break;
    parts.push(part);
    length += part.length + 2;
  }
  const rest = repos.length - parts.length;
  return rest === 0 ? `[${parts.join(', ')}]` : `[${[...parts, `and ${rest} more`].join(', ')}]`;
}

function plainPlace(place: WorkloadImage['place']): string {
  return place === 'volume' ? 'image volume' : place;
}

function spokenPlace(place: WorkloadImage['place']): string {
  switch (place) {
    case 'ephemeralContainer':
      return 'ephemeral container';
    case 'volume':
      return 'image volume';
    default:
      return place;
  }
}
