import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { lintCommand } from './lint.ts';

/** Adds the tools about constraints to `breakwater guard`. */
export function addGuardTools(guard: Command, cli: Cli): void {
  guard.addCommand(lintCommand(cli));
}
