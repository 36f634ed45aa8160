import { CodedError } from '../platform/errors.ts';

/**
 * `layer_unsupported`: not a tar in any compression we know. `layer_invalid`: a damaged one. `limit_exceeded`: larger than is ever read.
 * `source_invalid`: a scan target that cannot be read as an image. `image_ambiguous`: it holds several images.
 * `worker_failed`: the analysis died or took too long.
 */
export class ScanError extends CodedError<
  'layer_unsupported' | 'layer_invalid' | 'limit_exceeded' | 'source_invalid' | 'image_ambiguous' | 'worker_failed'
> {}
