import type { Tx } from '../db/database.ts';
import { type CheckedException, checkException } from './check-exception.ts';
import { checkDigest, type Readable, typeOfPackage } from './check-stored.ts';
import type { NewException } from './exception.ts';
import type { Place } from './exception-rows.ts';

/**
 * A request that was checked, with what can be known without asking: the type of a package that is here in one type only,
 * in the projects that may be looked into. Throws
 * `ExceptionError('exception_invalid')`.
 */
export async function completeRequest(
  tx: Tx,
  place: Place & { readonly readable: Readable },
  wanted: NewException,
): Promise<CheckedException> {
  const { package: name, packageType, versions } = wanted;
  const unclear = name !== undefined && packageType === undefined && versions !== undefined;
  const type = unclear ? await typeOfPackage(tx, name, place.readable) : undefined;
  const checked = checkException({ ...wanted, ...(type === undefined ? {} : { packageType: type }) });
  await checkDigest(tx, place, checked.digest);
  return checked;
}
