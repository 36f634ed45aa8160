/** Text as one word of a POSIX shell: commands in messages are pasted, and names in them are foreign bytes. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
