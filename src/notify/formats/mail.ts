import type { Message } from '../message.ts';
import { detailsOf, lineOf } from '../words.ts';

const LONGEST_SUBJECT = 150;

/** A mail in plain text: there is no markup in it that somebody's name could become. */
export function mailOf(message: Message, installation: string): { readonly subject: string; readonly text: string } {
  const line = lineOf(message);
  const subject = `[breakwater] ${message.type}: ${line}`;
  return {
    subject: subject.length <= LONGEST_SUBJECT ? subject : `${subject.slice(0, LONGEST_SUBJECT - 1).toWellFormed()}…`,
    text: [
      line,
      ...(detailsOf(message).length > 0 ? ['', ...detailsOf(message).map((detail) => `- ${detail}`)] : []),
      '',
      `Event ${message.uid} of ${installation}`,
      '',
    ].join('\n'),
  };
}
