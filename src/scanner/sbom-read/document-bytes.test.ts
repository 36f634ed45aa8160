import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { bytesOfFile, bytesOfMemory, type DocumentBytes } from './document-bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-document-'));
const path = join(folder, 'document');
afterAll(() => rmSync(folder, { recursive: true }));

function withFile<T>(bytes: Buffer, window: number, use: (document: DocumentBytes, fd: number) => T): T {
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r+');
  try {
    return use(bytesOfFile(fd, window), fd);
  } finally {
    closeSync(fd);
  }
}

describe('the bytes of a document', () => {
  it('are the same through any window', () => {
    const text = fc.array(fc.constantFrom('a', '"', '<text>', '</text>', '\n', '\\'), { maxLength: 40 });
    const look = fc.oneof(
      fc.record({ what: fc.constant('at'), from: fc.nat(200), to: fc.nat(200) }),
      fc.record({ what: fc.constant('slice'), from: fc.nat(200), to: fc.nat(200) }),
      fc.record({ what: fc.constantFrom('"', '</text>', 'x'), from: fc.nat(200), to: fc.nat(200) }),
    );
    fc.assert(
      fc.property(text, fc.array(look, { maxLength: 20 }), fc.integer({ min: 8, max: 64 }), (parts, looks, window) => {
        const bytes = Buffer.from(parts.join(''));
        withFile(bytes, window, (file) => {
          for (const document of [file, bytesOfMemory(bytes)])
            for (const { what, from, to } of looks) {
              const found = bytes.indexOf(what, from);
              if (what === 'at') expect(document.at(from)).toBe(bytes[from]);
              else if (what === 'slice')
                expect(document.slice(from, to)).toEqual(bytes.subarray(from, Math.max(from, to)));
              else expect(document.find(what, from, to)).toBe(found < to && from < bytes.length ? found : -1);
            }
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('end where a file ends that became shorter', () => {
    withFile(Buffer.alloc(1000, 'a'), 64, (file, fd) => {
      ftruncateSync(fd, 100);
      expect([file.at(99), file.at(500), file.length]).toEqual([97, undefined, 100]);
      expect(file.slice(90, 1000)).toHaveLength(10);
      expect(file.find('b', 0, 1000)).toBe(-1);
    });
  });
});
