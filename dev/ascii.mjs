/** The same script without a character of another alphabet: one would double the memory that it takes. */
export function ascii(code) {
  return code.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
