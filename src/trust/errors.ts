import { CodedError } from '../platform/errors.ts';

export class TrustError extends CodedError<
  'source_invalid' | 'source_exists' | 'source_unknown' | 'source_state' | 'four_eyes'
> {}
