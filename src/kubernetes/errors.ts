import { CodedError } from '../platform/errors.ts';

export type KubernetesErrorCode =
  | 'kubeconfig_invalid'
  | 'unreachable'
  | 'denied'
  | 'not_found'
  | 'conflict'
  /** The resource version or continue token is too old: list again. */
  | 'gone'
  | 'unexpected_reply';

export class KubernetesError extends CodedError<KubernetesErrorCode> {}
