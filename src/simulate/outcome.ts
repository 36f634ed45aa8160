import type { VerdictKind } from '../model/verdict.ts';
import type { Digest } from '../oci/digest.ts';

/** A stored image whose decision would be another one. */
export interface ImageChange {
  /** Full name, `front/alpine`. */
  readonly repository: string;
  readonly digest: Digest;
  /** Its newest tag. */
  readonly tag?: string;
  readonly before: VerdictKind;
  readonly after: VerdictKind;
  /** The rules behind it: of the new decision, or of the old one where the new asks for less. */
  readonly rules: readonly string[];
  /** One sentence about the new decision. */
  readonly why: string;
}

/** A container that an audit saw running, as it would stand. */
export interface RunningChange {
  readonly cluster: string;
  readonly namespace: string;
  /** The owner at the top: Deployment, CronJob, …, or the pod itself. */
  readonly kind: string;
  readonly name: string;
  readonly container: string;
  readonly image: string;
  /** `pull`: the registry would refuse the next pull. `admission`: its source would not be trusted any more. */
  readonly fails: 'pull' | 'admission';
  /** It fails today as well. */
  readonly already: boolean;
  /** What the next pull gets: what the tag names now, or the digest it was started with. */
  readonly digest?: Digest;
  readonly rules: readonly string[];
  readonly why: string;
}

/** Images that become blocked, or stop being so, for one rule or in one place. */
export interface Sum {
  readonly name: string;
  readonly blocked: number;
  readonly allowed: number;
}

/** What time alone does at one moment. */
export interface ComingChange {
  /** Epoch ms. */
  readonly at: number;
  readonly event:
    | 'grace-ends'
    | 'exception-ends'
    | 'exception-begins'
    | 'end-of-life'
    | 'advisory-age'
    | 'policy-begins'
    | 'trust-review-due'
    | 'other';
  /** What it is about: the exception's id, the distribution, the trusted entry, the versions of the policy. */
  readonly subject: string;
  /** Images whose verdict changes in any way, and those whose decision does. */
  readonly images: number;
  readonly blocked: number;
  readonly allowed: number;
  /** Containers that run and whose next pull would be refused from then on. */
  readonly running: number;
  /** Repositories of images that become blocked or allowed, the first of them by name. */
  readonly repositories: readonly string[];
}

/** The answer to a simulation. Lists hold the first of many; the counts are of all. */
export interface Outcome {
  /** Epoch ms at which the verdicts hold, and when this was computed. */
  readonly at: number;
  readonly computedAt: number;
  readonly advisories: { readonly before: string; readonly after: string };
  readonly images: {
    readonly judged: number;
    readonly blockedBefore: number;
    readonly blockedAfter: number;
    /** Blocked and not before, and the other way round. */
    readonly blocked: number;
    readonly allowed: number;
    /** Not blocked before nor after, and warned about in one of both only. */
    readonly warned: number;
    readonly unwarned: number;
  };
  readonly running: {
    readonly containers: number;
    /** Owners at the top with a container that fails, and those of them where none fails today. */
    readonly failing: number;
    readonly newlyFailing: number;
    /** Owners where nothing would fail any more. */
    readonly recovering: number;
  };
  readonly byRule: readonly Sum[];
  /** By repository, and by namespace of a cluster: what is stored, and what runs. */
  readonly byRepository: readonly Sum[];
  readonly byNamespace: readonly Sum[];
  readonly changes: readonly ImageChange[];
  readonly fails: readonly RunningChange[];
  /** Present when `until` was given. */
  readonly calendar?: readonly ComingChange[];
  /** Lists that were cut. */
  readonly cut: readonly ('changes' | 'fails' | 'calendar')[];
}
