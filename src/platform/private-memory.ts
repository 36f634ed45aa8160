import { readFileSync } from 'node:fs';

/** Bytes of memory that a process made itself. Linux alone tells; 0 elsewhere, and of one that is gone. */
export function privateMemoryOf({ pid }: { readonly pid?: number | undefined }): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
