import type { Message } from '../message.ts';
import { detailsOf, lineOf } from '../words.ts';

const MOST_LINES = 20;
/** Slack refuses longer sections. */
const LONGEST_SECTION = 2900;

/** The body of an incoming webhook as Slack, Mattermost and others take it. Nothing in it is markup but what we put there. */
export function slackBody(message: Message): string {
  const text = `*${message.type}* ${escaped(lineOf(message))}`;
  const lines = detailsOf(message)
    .slice(0, MOST_LINES)
    .map((line) => `• ${escaped(line)}`);
  return JSON.stringify({
    text,
    blocks: [text, ...(lines.length > 0 ? [lines.join('\n')] : [])].map((part) => ({
      type: 'section',
      text: { type: 'mrkdwn', text: cut(part) },
    })),
  });
}

/** The three characters that Slack reads as markup of links and mentions, and those that set bold, italic and code. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[*_~`]/g, (mark) => `\u200b${mark}`)
    .replace(/@(?=channel|here|everyone)/g, '@\u200b');
}

/** Never within an escaped character. */
function cut(text: string): string {
  return text.length <= LONGEST_SECTION
    ? text
    : `${text
        .slice(0, LONGEST_SECTION)
        .replace(/&[a-z]*$/, '')
        .toWellFormed()}…`;
}
