import type { FileView } from '../../file-view.ts';
import { LARGEST_BLOB, MOST_RECORDS, type Report } from './blob-reader.ts';

const MAGIC = 0x506d7052;
const SLOT_MAGIC = 0x746f6c53;
const BLOB_MAGIC = 0x53626c42;
const PAGE = 4096;
const SLOT = 16;
/** The header of the file takes the place of the first two slots. */
const FIRST_SLOT = 32;
const BLOCK = 16;
const BLOB_HEAD = 16;

/**
 * Headers in a database of rpm's own format, `Packages.db` (rpm, `rpmpkg.c`): pages of slots, each with a package number and
 * the block where the blob of that number begins. Little-endian.
 */
export function* readNdb(file: FileView, report: Report): Generator<Buffer> {
  const head = file.read(0, FIRST_SLOT);
  if (head.length < FIRST_SLOT || head.readUInt32LE(0) !== MAGIC) return report('it is no NDB database');
  const version = head.readUInt32LE(4);
  if (version !== 0) return report(`version ${version} of the NDB format is not known`);
  const pages = head.readUInt32LE(12);
  const present = Math.floor(file.size / PAGE);
  if (pages > present) report(`it should have ${pages} pages of slots, and has ${present} pages in all`);
  const seen = new Set<number>();
  for (let page = 0; page < Math.min(pages, present); page += 1) {
    const slots = file.read(page * PAGE, PAGE);
    for (let at = page === 0 ? FIRST_SLOT : 0; at + SLOT <= slots.length; at += SLOT) {
      const number = slots.readUInt32LE(at + 4);
      if (slots.readUInt32LE(at) !== SLOT_MAGIC) {
        report(`page ${page} holds something that is no slot`);
        break;
      }
      if (number === 0) continue;
      if (seen.has(number)) {
        report(`package ${number} has two slots`);
        continue;
      }
      seen.add(number);
      if (seen.size > MOST_RECORDS) return report(`it has more than ${MOST_RECORDS} packages; the rest is not read`);
      const blob = readBlob(file, number, slots.readUInt32LE(at + 8) * BLOCK);
      if (typeof blob === 'string') report(`package ${number}: ${blob}`);
      else yield blob;
    }
  }
}

function readBlob(file: FileView, number: number, at: number): Buffer | string {
  const head = file.read(at, BLOB_HEAD);
  if (head.length < BLOB_HEAD) return 'its slot leads outside the file';
  if (head.readUInt32LE(0) !== BLOB_MAGIC || head.readUInt32LE(4) !== number) return 'its slot leads to something else';
  const length = head.readUInt32LE(12);
  if (length > LARGEST_BLOB) return `its header should have ${length} bytes, more than ${LARGEST_BLOB} are not read`;
  return at + BLOB_HEAD + length > file.size ? 'its header ends outside the file' : file.read(at + BLOB_HEAD, length);
}
