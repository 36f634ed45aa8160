/** True for a text that every engine can keep: PostgreSQL knows no NUL in text, and half a surrogate pair is no character at all. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
