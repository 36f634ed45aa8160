/** A parsed `WWW-Authenticate` header: scheme in lower case, parameters as sent. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const LONGEST_HEADER = 8192;
const PARAMETER = /\s*([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/giy;

/** Parses a challenge (RFC 9110 §11.6.1) with one scheme; undefined when it is none. Reads at most 8 KiB. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined || header.length > LONGEST_HEADER) return undefined;
  const scheme = /^\s*([A-Za-z]+)(?:\s+|$)/.exec(header);
  if (!scheme?.[1]) return undefined;
  const parameters: Record<string, string> = Object.create(null);
  PARAMETER.lastIndex = scheme[0].length;
  for (let match = PARAMETER.exec(header); match; match = PARAMETER.exec(header)) {
    const name = match[1]?.toLowerCase();
    if (name) parameters[name] ??= match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '';
    if (PARAMETER.lastIndex >= header.length) break;
  }
  return { scheme: scheme[1].toLowerCase(), parameters };
}
