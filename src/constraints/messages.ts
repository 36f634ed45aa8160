import { goQuote } from './go-quote.ts';
import type { ConstraintKind } from './kinds/kinds.ts';
import type { Breach } from './kinds/rule.ts';
import type { MessageStyle } from './options.ts';
import type { ImagePlace, WorkloadImage } from './workload.ts';

export const LONGEST_VALUE = 512;
/** Where everything is printed as it is; no image reference and no name of Kubernetes is as long. */
const LONGEST_EXACT = 4096;
const LONGEST_LIST = 2000;
/** Controls, line and paragraph separators, and characters that turn the direction of text. */
export const UNSAFE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const WELKIN_PAGE = 'https://elastisys.io/welkin/user-guide/safeguards/enforce-trusted-registries/';

/** The sentences of one constraint. All are bare: what stands before them is `linePrefix`. */
export interface Words {
  /** What is wrong with an image. */
  breach(breach: Breach, image: WorkloadImage): string;
}

export interface WordsOptions {
  readonly kind: ConstraintKind;
  readonly style: MessageStyle;
  /** Values as they are, lists whole: what Gatekeeper prints. Otherwise foreign text is made safe and bounded. */
  readonly exact: boolean;
  readonly list: readonly string[];
}

/** Prepares the sentences of a constraint; the list is written once. */
export function createWords({ kind, style, exact, list }: WordsOptions): Words {
  const listed = exact ? `[${list.map(goQuote).join(', ')}]` : listText(list);
  const value = (text: string) => (exact ? cut(text, LONGEST_EXACT) : escape(text));
  const marked = style === 'welkin-docs' ? quote : (text: string) => `<${value(text)}>`;
  if (kind === 'K8sAllowedRepos' && style === 'welkin-current') {
    return { breach: (_breach, image) => welkinSentence(image, value, listed) };
  }
  return {
    breach(breach, { place, name, image }) {
      const [who, what] = [marked(name), marked(image)];
      switch (breach) {
        case 'repo':
          return `${plainPlace(place)} ${who} has an invalid image${REPO_WORDS[kind] ?? ' repo'} ${what}, ${LIST_WORDS[kind] ?? 'allowed repos'} are ${listed}`;
        // The library says `container` whatever the container is.
        case 'tag':
          return `${anyContainer(place)} ${who} uses a disallowed tag ${what}; disallowed tags are ${listed}`;
        case 'no-tag':
          return `${anyContainer(place)} ${who} didn't specify an image tag ${what}`;
        case 'no-digest':
          return `${plainPlace(place)} ${who} uses an image without a digest ${what}`;
        case 'unreadable':
          return `${plainPlace(place)} ${who} has an image that is no image reference ${what}`;
      }
    },
  };
}

const REPO_WORDS: Partial<Record<ConstraintKind, string>> = { K8sAllowedReposv2: '' };
const LIST_WORDS: Partial<Record<ConstraintKind, string>> = {
  K8sAllowedReposv2: 'allowed images',
  K8sDisallowedRepos: 'disallowed repos',
};

function welkinSentence(
  { place, name, image }: WorkloadImage,
  value: (text: string) => string,
  listed: string,
): string {
  return (
    `The ${spokenPlace(place)} named <${value(name)}> does not have an allowed image registry <${value(image)}>, ` +
    `allowed registries are <${listed}>. Elastisys Welkin® requires that all images come from trusted registries. ` +
    `Read more at ${WELKIN_PAGE}`
  );
}

/** The line about a trusted image that the registry refuses, warns about or does not know; `sentence` names the worst of it. */
export function verdictMessage(workload: WorkloadImage, kind: 'block' | 'warn' | 'unknown', sentence: string): string {
  return `${plainPlace(workload.place)} ${quote(workload.name)} has ${VERDICT_WORDS[kind]} ${quote(workload.image)}: ${escape(sentence, 1000)}`;
}

const VERDICT_WORDS = {
  block: 'a blocked image',
  warn: 'an image with findings',
  unknown: 'an image of unknown verdict',
} as const;

/** The line about an object whose images are not judged because there are too many of them. */
export function excessMessage(images: number, most: number): string {
  return `this names ${images} images, of which none was judged: no more than ${most} are allowed in one object`;
}

/** The line in the place of those that break a rule and are not printed one by one. */
export function countedMessage(images: number): string {
  return images === 1 ? '1 more image breaks the same rule' : `${images} more images break the same rule`;
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
export function escape(text: string, longest = LONGEST_VALUE): string {
  const bounded = cut(text, longest);
  return isPlain(bounded)
    ? bounded
    : bounded.replace(UNSAFE, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

/** Printable ASCII, as names and images are: nothing in it is unsafe, and looking costs less than replacing nothing. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

function quote(text: string): string {
  const safe = escape(text);
  return safe.includes('"') ? `"${safe.replaceAll('"', '\\"')}"` : `"${safe}"`;
}

/** `["a", "b"]` as OPA prints it; a very long list is cut with a count. */
function listText(list: readonly string[]): string {
  const parts: string[] = [];
  let length = 0;
  for (const entry of list) {
    const part = goQuote(cut(entry, LONGEST_VALUE));
    if (length + part.length > LONGEST_LIST) break;
    parts.push(part);
    length += part.length + 2;
  }
  const rest = list.length - parts.length;
  return `[${[...parts, ...(rest === 0 ? [] : [`and ${rest} more`])].join(', ')}]`;
}

/** No lower-case `container` for volumes: assertions of test suites that look for that word must not count them. */
function plainPlace(place: ImagePlace): string {
  return place === 'volume' ? 'imageVolume' : place;
}

function anyContainer(place: ImagePlace): string {
  return place === 'volume' ? 'imageVolume' : 'container';
}

function spokenPlace(place: ImagePlace): string {
  switch (place) {
    case 'ephemeralContainer':
      return 'ephemeral container';
    case 'volume':
      return 'image volume';
    default:
      return place;
  }
}
