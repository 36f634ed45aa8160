/** Text without control characters and whatever else makes one line two or shows something other than it says. */
export const PRINTABLE: RegExp = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u;

/** True for lines of printable text. */
export function isPrintableText(text: string): boolean {
  return text.split('\n').every((line) => PRINTABLE.test(line));
}

/**
 * What is wrong with the reason somebody gives for what they do; undefined when nothing is. It is one line of printable text: it ends up in
 * messages, mails, tables and the answers to pulls.
 */
export function reasonProblem(text: string, longest: number): string | undefined {
  if (text.trim() === '') return `say why, in at most ${longest} characters`;
  if (text.length > longest) return `the reason has ${text.length} characters; say why in at most ${longest}`;
  if (!PRINTABLE.test(text))
    return 'write the reason in one line of printable text, without line breaks and control characters';
  return undefined;
}
