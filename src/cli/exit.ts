import { CodedError } from '../platform/errors.ts';

/** What a run of the command line says with its exit code; scripts rely on these. */
export const EXIT = {
  ok: 0,
  /** The answer is "no": the verdict blocks, `--fail-on` is reached, evidence is broken, something was left behind. */
  negative: 1,
  /** The command line or a setting is wrong. */
  usage: 2,
  /** Anything else: no server, an error of the server, a file that cannot be read. */
  failure: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error whose message is all there is to say: `usage` ends with 2, the others with 3. */
export class CliError extends CodedError<'usage' | 'unreachable' | 'server' | 'failed'> {}

const USAGE_ERRORS: ReadonlySet<string> = new Set(['usage', 'config_invalid', 'reference_invalid', 'image_ambiguous']);

/** The exit code of an error that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof CodedError && USAGE_ERRORS.has(String(error.code)) ? EXIT.usage : EXIT.failure;
}
