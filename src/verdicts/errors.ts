import { CodedError } from '../platform/errors.ts';

/**
 * `not_analysed`: there is no inventory of the image yet. `layer_unreadable`: a layer's bytes could not be had or its
 * analysis died. `layer_absent`: a layer is not here yet, as while a mirror fetches it. `contended`: others kept replacing the verdict while it was being computed.
 */
export class VerdictError extends CodedError<'not_analysed' | 'layer_unreadable' | 'layer_absent' | 'contended'> {}
