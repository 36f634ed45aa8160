import { clientNetwork } from '../platform/client-network.ts';
import type { Clock } from '../platform/clock.ts';
import { createTokenBuckets, type TokenBuckets } from '../platform/token-buckets.ts';

/** What is counted apart. Content of blobs is not counted: who may have a manifest may have its layers. */
export type Budget = 'pulls' | 'writes' | 'api';

export interface Refused {
  readonly budget: Budget;
  /** What was used up and when to come back. */
  readonly message: string;
  readonly retryAfterSeconds: number;
}

/** Keeps one account, or one network without an account, from taking all there is. */
export interface RateLimits {
  /** Takes one of the budget; `name` is empty for nobody, who then counts by `address`. Undefined: go on. */
  spend(budget: Budget, name: string, address: string): Refused | undefined;
}

/** Requests a minute; 0 or absent = as many as they like. */
export interface LimitSettings {
  readonly limitPulls: number;
  readonly limitWrites: number;
  readonly limitApi: number;
  /** For a network without an account, in each budget, where it is lower than that. */
  readonly limitAnonymous: number;
}

const WORDS: Readonly<Record<Budget, string>> = {
  pulls: 'requests for manifests, lists and tokens',
  writes: 'uploads and changes of content',
  api: 'calls of the management API',
};

/**
 * Limits of this process alone: with several replicas each gives as much. After a rest a minute's worth may come at once.
 * `onRefused` is told of every refusal, with the account or the network.
 */
export function createRateLimits(
  deps: { readonly clock: Clock; onRefused?(refused: Refused, name: string, network: string): void },
  settings: LimitSettings,
): RateLimits {
  const { clock } = deps;
  const limits: Readonly<Record<Budget, number>> = {
    pulls: settings.limitPulls,
    writes: settings.limitWrites,
    api: settings.limitApi,
  };
  const { limitAnonymous } = settings;
  const forAccounts = bucketsFor(limits, clock);
  const forNobody = bucketsFor(
    {
      pulls: lower(limits.pulls, limitAnonymous),
      writes: lower(limits.writes, limitAnonymous),
      api: lower(limits.api, limitAnonymous),
    },
    clock,
  );

  return {
    spend(budget, name, address) {
      const limit = (name === '' ? forNobody : forAccounts)[budget];
      if (limit === undefined) return undefined;
      const key = name === '' ? clientNetwork(address) : name;
      const wait = limit.buckets.take(key);
      if (wait === 0) return undefined;
      const retryAfterSeconds = Math.ceil(wait / 1000);
      const whose = name === '' ? `without a login from ${key}` : `of ${name}`;
      const message = `too many ${WORDS[budget]} ${whose}: at most ${limit.perMinute} a minute; come back in ${retryAfterSeconds} s`;
      const refused = { budget, message, retryAfterSeconds };
      deps.onRefused?.(refused, name, name === '' ? key : '');
      return refused;
    },
  };
}

interface Limit {
  readonly buckets: TokenBuckets;
  readonly perMinute: number;
}

function bucketsFor(limits: Readonly<Record<Budget, number>>, clock: Clock): Partial<Record<Budget, Limit>> {
  const made: Partial<Record<Budget, Limit>> = {};
  for (const budget of ['pulls', 'writes', 'api'] as const) {
    const perMinute = limits[budget];
    if (perMinute > 0) made[budget] = { buckets: createTokenBuckets({ clock, perMinute }), perMinute };
  }
  return made;
}

/** The lower of two limits, where 0 is none. */
function lower(one: number, other: number): number {
  if (one === 0 || other === 0) return Math.max(one, other);
  return Math.min(one, other);
}
