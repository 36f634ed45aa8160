import type { BlobStore } from '../blobs/blob-store.ts';
import type { Config } from '../config.ts';
import type { Folders } from '../folders.ts';
import type { ImportProjects } from '../importer/projects.ts';
import type { StoreTargetDeps } from '../importer/store-target.ts';
import type { LedgerNote } from '../ledger/ledger.ts';
import type { ExitCode } from './exit.ts';

/** What commands may do to the world around them; tests hand in their own. */
export interface Cli {
  /** Results, to standard output. A line end is added. */
  print(text: string): void;
  /** Everything that is not the result: progress, warnings, prompts. */
  note(text: string): void;
  /** Ends the run with this code once the command is done. */
  exitWith(code: ExitCode): void;
  readonly input: NodeJS.ReadStream;
  /** Where progress and prompts are shown. */
  readonly screen: NodeJS.WriteStream;
  /** Where results go: how wide it is and whether it shows colours. */
  readonly output: NodeJS.WriteStream;
  readonly config: () => Promise<Config>;
  /** The folders of the settings, for commands that need nothing else of them. */
  readonly folders: () => Promise<Folders>;
  readonly programs: Programs;
}

/** Long-running parts that live above the command line and are given to it. */
export interface Programs {
  /** Runs the server until it is told to stop. */
  serve?(config: Config): Promise<void>;
  /** Runs a guard alone until it is told to stop. */
  serveGuard?(config: Config): Promise<void>;
  /** The blob storage of the settings; a server may be using it. */
  readonly openBlobs?: (config: Config) => Promise<BlobStore>;
  /** Takes the data folder, which no server may be using, until `close`. */
  readonly openStorage?: (config: Config) => Promise<OpenStorage>;
}

/** Database and blobs of a server that does not run. */
export interface OpenStorage extends StoreTargetDeps {
  readonly projects: ImportProjects;
  /** Name that is written down as the one who did something. */
  readonly actor: string;
  record(note: Omit<LedgerNote, 'actor'>): Promise<void>;
  close(): Promise<void>;
}
