import { CodedError, messageOf } from '../platform/errors.ts';
import type { Cli } from './cli.ts';
import { type ExitCode, exitCodeOf } from './exit.ts';

/** Prints why a command ended, `breakwater: …`, and gives the exit code. The stack only of what should not happen. */
export function reportError(error: unknown, cli: Pick<Cli, 'note'>): ExitCode {
  const system = asSystemError(error);
  cli.note(`breakwater: ${system ? describeSystemError(system) : messageOf(error)}`);
  if (!system && !(error instanceof CodedError) && error instanceof Error && error.stack !== undefined)
    cli.note(`This should not happen; please report it with these lines:\n${error.stack}`);
  return exitCodeOf(error);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'you may not do that there',
  EPERM: 'you may not do that there',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  ENOSPC: 'the disk is full',
  EADDRINUSE: 'another program listens there already',
};

function describeSystemError({ code = '', message, path }: NodeJS.ErrnoException): string {
  const reason = REASONS[code];
  return reason === undefined ? message : path === undefined ? `${reason} (${message})` : `${path}: ${reason}`;
}

/** An error of the operating system: nothing wrong with this program. */
function asSystemError(error: unknown): NodeJS.ErrnoException | undefined {
  return error instanceof Error && 'code' in error && 'syscall' in error ? (error as NodeJS.ErrnoException) : undefined;
}
