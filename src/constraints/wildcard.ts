/** Gatekeeper's wildcards: exact, `pre*`, `*suf`, `*mid*`. */
export function wildcardMatches(pattern: string, value: string): boolean {
  const start = pattern.startsWith('*');
  const end = pattern.endsWith('*');
  if (start && end) return value.includes(pattern.slice(1, -1));
  if (start) return value.endsWith(pattern.slice(1));
  return end ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}
