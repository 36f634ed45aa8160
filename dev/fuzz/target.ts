import type { Random } from './random.ts';

/** Bytes to begin with, and the path under which a reader would meet them. */
export interface Sample {
  readonly path: string;
  readonly bytes: Buffer;
}

/** A reader of foreign bytes. `run` throws when the reader does what it must not; taking long or much memory is seen from outside. */
export interface Target {
  readonly name: string;
  samples(): Promise<readonly Sample[]>;
  mutate(random: Random, bytes: Buffer, other: Buffer): Buffer;
  run(sample: Sample): void | Promise<void>;
}

/** Throws unless a result can be written down, and is not much larger than what it was read from. */
export function checkResult(result: unknown, input: Buffer): void {
  const text = JSON.stringify(result) ?? '';
  const most = 4_000_000 + 200 * input.length;
  if (text.length > most) throw new Error(`the result has ${text.length} characters for ${input.length} bytes`);
}
