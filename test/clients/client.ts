import type { Outcome } from '../support/program.ts';

/** What clients are tried with, in this order: later ones build on what the first pushed. */
export const OPERATIONS = ['push', 'pull', 'list', 'copy', 'again', 'delete'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A registry that can be written to, and the image to write. */
export interface World {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly user: string;
  readonly password: string;
  /** A folder with a login to both hosts, for `DOCKER_CONFIG`. */
  readonly config: string;
  /** The same registry behind a connection that breaks: see `CuttingProxy`. */
  readonly broken: { readonly host: string; readonly mend: () => void };
  /** OCI layout with one image called `name`, and one with an index of BuildKit's kind. */
  readonly layout: string;
  readonly index: string;
  readonly name: string;
  readonly digest: string;
  readonly indexDigest: string;
  /** Compressed layers of the image, as files. */
  readonly layers: readonly string[];
  /** An image nobody has seen: a layout with its name and digest. What a registry has already would not be sent over the bad line. */
  readonly fresh: () => Promise<{
    readonly layout: string;
    readonly digest: string;
    readonly layers: readonly string[];
  }>;
  /** A new empty folder. */
  readonly folder: () => Promise<string>;
}

/** One client at work. Every operation throws when it did not do what it should. */
export interface OpenClient {
  readonly operations: Readonly<Partial<Record<Operation, () => Promise<void>>>>;
  readonly close?: () => Promise<unknown>;
}

export interface Client {
  readonly name: string;
  /** What `BREAKWATER_LEAVE_OUT` calls it. */
  readonly peer: string;
  /** What it has commands for. */
  readonly can: readonly Operation[];
  open(world: World): Promise<OpenClient> | OpenClient;
}

/** Does one of the operations the client can do. */
export async function perform({ operations }: OpenClient, name: Operation): Promise<void> {
  const operation = operations[name];
  if (!operation) throw new Error(`the client says that it can ${name}, but has no such operation`);
  await operation();
}

/** The outcome, when the program ended well; else throws with all it printed. */
export function done(outcome: Outcome): Outcome {
  if (outcome.code !== 0) throw new Error(`ended with ${outcome.code}:\n${outcome.screen}`);
  return outcome;
}

/** Throws unless the program failed. */
export function refused(outcome: Outcome): Outcome {
  if (outcome.code === 0) throw new Error(`should have failed:\n${outcome.screen}`);
  return outcome;
}

export function same(found: unknown, expected: unknown, what: string): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)}, not ${String(expected)}`);
}
