import { messageOf } from '../../platform/errors.ts';
import { contentHash } from './content-hash.ts';
import { openChecked, schemaOf } from './database.ts';
import { AdvisoryDatabaseError } from './errors.ts';

/**
 * Reads a whole advisory database and checks that it is intact and says what its version claims (about a second per
 * 100 MB). Gives the version. `name` is what messages call it. Fails with `AdvisoryDatabaseError`.
 */
export function verifyAdvisoryDatabase(path: string, name = path): string {
  const db = openChecked(path, name);
  try {
    const check = db.prepare('pragma quick_check(1)').get()?.['quick_check'];
    if (check !== 'ok') throw new AdvisoryDatabaseError('damaged', `${name} is damaged: ${String(check)}`);
    const claimed = db.prepare("select value from meta where key = 'version'").get()?.['value'];
    const actual = contentHash(db, schemaOf(db));
    if (claimed === actual) return actual;
    throw new AdvisoryDatabaseError(
      'damaged',
      `${name} claims to be ${String(claimed)} but its content is ${actual}: copy or build it again`,
    );
  } catch (error) {
    if (error instanceof AdvisoryDatabaseError) throw error;
    throw new AdvisoryDatabaseError('damaged', `${name} is damaged: ${messageOf(error)}`, { cause: error });
  } finally {
    db.close();
  }
}
