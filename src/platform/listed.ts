/** The entries of a comma separated text, without blanks around them and empty ones. */
export function listed(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
}
