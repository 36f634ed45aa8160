import type { ClusterAudit, ClusterImage, ClusterViolation } from '../cluster/audit-store.ts';
import { breathe } from '../platform/breathe.ts';
import { messageOf } from '../platform/errors.ts';
import { type AuditLine, auditLine } from './contract/guard-feed.ts';
import { ApiError } from './errors.ts';
import { unstorableText } from './storable.ts';

const LARGEST_AUDIT = 256 * 1024 * 1024;
const LONGEST_LINE = 64 * 1024;
const MOST_LINES = 1_000_000;
const LINES_AT_ONCE = 1000;

/** Reads an audit that comes as lines of JSON. Throws `ApiError` that names the line; nothing half is given. */
export async function readAudit(stream: AsyncIterable<Uint8Array>): Promise<ClusterAudit> {
  let head: Extract<AuditLine, { audit: unknown }>['audit'] | undefined;
  let isWhole = false;
  const violations: ClusterViolation[] = [];
  const running: ClusterImage[] = [];
  let number = 0;
  for await (const text of lines(stream)) {
    number += 1;
    if (number % LINES_AT_ONCE === 0) await breathe();
    const line = parseLine(text, number);
    if (isWhole) throw wrong(number, 'nothing comes after the end');
    if ('audit' in line) {
      if (head) throw wrong(number, 'there is a second beginning');
      head = line.audit;
    } else if (!head) throw wrong(number, 'an audit begins with `audit`');
    else if ('violation' in line) violations.push(line.violation);
    else if ('image' in line) running.push(line.image);
    else {
      const { end } = line;
      if (end.violations !== violations.length || end.images !== running.length)
        throw wrong(number, `${end.violations} violations and ${end.images} images were sent, fewer came`);
      isWhole = true;
    }
  }
  if (!head || !isWhole) throw wrong(number, 'the audit ends before its end');
  return { ...head, violations, running };
}

function parseLine(text: string, number: number): AuditLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(number, messageOf(error));
  }
  const parsed = auditLine.safeParse(value);
  if (!parsed.success) throw wrong(number, 'it is no line of an audit');
  if (unstorableText(parsed.data)) throw wrong(number, 'it holds a NUL or half a character');
  return parsed.data;
}

async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let size = 0;
  let count = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > LARGEST_AUDIT) throw new ApiError('too_large', `an audit may have ${LARGEST_AUDIT} bytes`);
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > LONGEST_LINE)
      throw new ApiError('too_large', `a line of an audit may have ${LONGEST_LINE} bytes`);
    for (const part of parts) {
      count += 1;
      if (count > MOST_LINES) throw new ApiError('too_large', `an audit may have ${MOST_LINES} lines`);
      yield part;
    }
  }
  if (rest !== '') yield rest;
}

function wrong(line: number, why: string): ApiError {
  return new ApiError('request_invalid', `line ${line} of the audit: ${why}`);
}
