import { CodedError, messageOf } from '../platform/errors.ts';
import type { Cli } from './cli.ts';
import { type ExitCode, exitCodeOf } from './exit.ts';

/** Prints why a command ended, `breakwater: …`, and gives the exit code. The stack only of what should not happen. */
export function reportError(error: unknown, cli: Pick<Cli, 'note'>): ExitCode {
  cli.note(`breakwater: ${messageOf(error)}`);
  if (!isExpected(error) && error instanceof Error && error.stack !== undefined)
    cli.note(`This should not happen; please report it with these lines:\n${error.stack}`);
  return exitCodeOf(error);
}

/** Our own errors, and those of the operating system: no such file, no space, no permission. */
function isExpected(error: unknown): boolean {
  return error instanceof CodedError || (error instanceof Error && 'code' in error && 'syscall' in error);
}
