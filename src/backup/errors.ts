import { CodedError } from '../platform/errors.ts';

/** `not_a_backup`: the folder holds none, or only half of one. `folder_unusable`: something else is in it. `not_written`: there is no room, or it cannot
 * be written to. */
export class BackupError extends CodedError<'not_a_backup' | 'folder_unusable' | 'not_written'> {}
