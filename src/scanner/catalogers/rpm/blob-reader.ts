import type { FileView } from '../../file-view.ts';

/** Takes what is wrong with a file, in words that follow its path. */
export type Report = (problem: string) => void;

/**
 * Gives the header of every package in a database, one after another. Never throws: what cannot be read is reported and the
 * rest is given. No page is read twice for a header, so that a small file cannot make much work.
 */
export type BlobReader = (file: FileView, report: Report) => Generator<Buffer>;

/** Headers of packages with a hundred thousand files have some ten megabytes. */
export const LARGEST_BLOB = 64 * 1024 * 1024;
/** Records looked at in one database; distributions have some 60,000 packages in all. */
export const MOST_RECORDS = 200_000;
