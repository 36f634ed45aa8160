import type { ConstraintSource } from '../admission/constraint-source.ts';
import type { RuleObserver } from '../admission/rule-history.ts';
import { type Constraint, ConstraintError, parseConstraint } from '../constraints/constraint.ts';
import { decidingContent } from '../constraints/deciding-content.ts';
import { readExemptions } from '../constraints/exemption.ts';
import { type Expansion, ExpansionError, parseExpansion } from '../constraints/expansion.ts';
import { CONSTRAINT_KINDS, type ConstraintKind } from '../constraints/kinds/kinds.ts';
import { kubernetesObject } from '../constraints/kubernetes-object.ts';
import {
  CONFIGS_PATH,
  constraintsPath,
  DEFINITION_NAME,
  DEFINITIONS_PATH,
  EXPANSIONS_PATH,
  NAMESPACES_PATH,
} from '../constraints/paths.ts';
import type { Rules } from '../constraints/rules.ts';
import type { ListedObject } from '../kubernetes/list-pages.ts';
import {
  type CollectionObserver,
  type CollectionWatch,
  oldestContact,
  type WatchDeps,
  watchCollection,
} from '../kubernetes/watch-collection.ts';
import { messageOf } from '../platform/errors.ts';
import { createNamespaceLookup } from './namespace-lookup.ts';
import { applyWantedConstraint } from './wanted-constraint.ts';

/** A constraint that cannot be used, and why; the others go on. */
export interface BrokenConstraint {
  readonly kind: ConstraintKind;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly problem: string;
}

export interface ConstraintWatcher extends ConstraintSource {
  /** Constraints of the cluster that are not enforced because they cannot be read. */
  broken(): readonly BrokenConstraint[];
  /** Since the API server was last heard of about the kind it is longest ago for; undefined before all were read. */
  ageMs(): number | undefined;
  stop(): Promise<void>;
}

export interface ConstraintWatcherDeps extends WatchDeps {
  /** Namespaces whose `Config` counts: anybody may be able to make one elsewhere. */
  readonly systemNamespaces?: readonly string[];
  /** Told what constraints say, to know it when they say something else. */
  readonly observer?: RuleObserver;
}

/** Watches renew every 20 s; older than this means that this one is dead or the API server out of reach. */
const STALE_MS = 30_000;
const SYSTEM_NAMESPACES = ['gatekeeper-system', 'breakwater-system'];

type Labels = Readonly<Record<string, string>>;

/** Keeps the cluster's rules and the labels of its namespaces in memory, from the moment it is made. */
export function createConstraintWatcher(deps: ConstraintWatcherDeps): ConstraintWatcher {
  const constraints = new Map<string, Constraint>();
  const broken = new Map<string, BrokenConstraint>();
  const expansions = new Map<string, Expansion>();
  const configs = new Map<string, ListedObject>();
  const namespaces = new Map<string, Labels>();
  const unread = new Set<string>();
  let current: Rules | undefined;

  function take(object: ListedObject, kind: ConstraintKind): void {
    const { name, uid } = kubernetesObject.parse(object).metadata;
    const key = `${kind}/${name}`;
    constraints.delete(key);
    broken.delete(key);
    try {
      const constraint = parseConstraint(object, kind);
      constraints.set(key, constraint);
      const { since } = constraint;
      const content = decidingContent(object);
      deps.observer?.stands({ kind, name, uid }, { content, since, now: deps.clock.now() });
      for (const problem of constraint.problems) deps.logger.warn({ constraint: name, problem }, 'constraint');
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error;
      broken.set(key, { kind, name, uid, generation: generationOf(object), problem: error.message });
      deps.observer?.gone(kind, name, deps.clock.now());
      deps.logger.error({ constraint: name, problem: error.message }, 'constraint is not enforced');
    }
  }
  function takeExpansion(object: ListedObject): void {
    const name = nameOf(object);
    expansions.delete(name);
    try {
      expansions.set(name, parseExpansion(object));
    } catch (error) {
      if (!(error instanceof ExpansionError)) throw error;
      deps.logger.error({ expansion: name, problem: error.message }, 'ExpansionTemplate is not used');
    }
  }
  function publish(): void {
    current = {
      constraints: [...constraints.values()].sort(byName),
      expansions: [...expansions.values()].sort(byName),
      exempt: readExemptions([...configs.values()]),
    };
  }
  /** Watches a collection that changes the rules; `absentIsEmpty` because a cluster need not know all these kinds. */
  function rulesWatch(path: string, into: { take(object: ListedObject): void; drop(object: ListedObject): void }) {
    unread.add(path);
    const held = new Map<string, { object: ListedObject; text: string }>();
    /** False when only the status changed, which audits write all the time: then the rules stay the very same value. */
    function offer(object: ListedObject): boolean {
      const text = ruleText(object);
      if (held.get(keyOf(object))?.text === text) return false;
      held.set(keyOf(object), { object, text });
      into.take(object);
      return true;
    }
    function remove(object: ListedObject): void {
      held.delete(keyOf(object));
      into.drop(object);
    }
    const observer: CollectionObserver = {
      reset(items) {
        const listed = new Set(items.map(keyOf));
        const gone = [...held].filter(([key]) => !listed.has(key));
        for (const [, { object }] of gone) remove(object);
        const changed = items.filter(offer).length > 0 || gone.length > 0;
        unread.delete(path);
        if (changed || current === undefined) publish();
      },
      changed(object) {
        if (offer(object)) publish();
      },
      deleted(object) {
        remove(object);
        publish();
      },
    };
    return watchCollection(deps, { path, absentIsEmpty: true }, observer);
  }

  const watches: Record<string, CollectionWatch> = {
    ...Object.fromEntries(
      CONSTRAINT_KINDS.map((kind) => {
        function drop(object: ListedObject): void {
          constraints.delete(`${kind}/${nameOf(object)}`);
          broken.delete(`${kind}/${nameOf(object)}`);
          deps.observer?.gone(kind, nameOf(object), deps.clock.now());
        }
        return [kind, rulesWatch(constraintsPath(kind), { drop, take: (object) => take(object, kind) })];
      }),
    ),
    ExpansionTemplate: rulesWatch(EXPANSIONS_PATH, {
      take: takeExpansion,
      drop: (object) => void expansions.delete(nameOf(object)),
    }),
    Config: rulesWatch(CONFIGS_PATH, {
      take(object) {
        const { namespace, name } = kubernetesObject.parse(object).metadata;
        if ((deps.systemNamespaces ?? SYSTEM_NAMESPACES).includes(namespace)) configs.set(name, object);
      },
      drop(object) {
        const { namespace, name } = kubernetesObject.parse(object).metadata;
        if ((deps.systemNamespaces ?? SYSTEM_NAMESPACES).includes(namespace)) configs.delete(name);
      },
    }),
    Namespace: watchNamespaces(deps, namespaces, unread),
  };
  const definition = watchDefinition(deps);
  const lookup = createNamespaceLookup((name) =>
    deps.client.get(`${NAMESPACES_PATH}/${encodeURIComponent(name)}`).then(
      (object) => keepLabels(namespaces, object as ListedObject),
      () => undefined,
    ),
  );

  return {
    rules: () => (unread.size === 0 ? current : undefined),
    broken: () => [...broken.values()],
    namespaceLabels: (name) => namespaces.get(name),
    ageMs: () => oldestContact(Object.values(watches), deps.clock),
    problem() {
      for (const [what, watch] of Object.entries(watches)) {
        const contact = watch.lastContact();
        const why = watch.failure() ?? 'no answer from the API server';
        if (contact === undefined) return `the ${what} objects of the cluster have not been read yet: ${why}`;
        const age = deps.clock.now() - contact;
        if (age > STALE_MS) return `the ${what} objects of the cluster are ${Math.round(age / 1000)} s old: ${why}`;
      }
      return undefined;
    },
    ensureNamespace: lookup,
    async stop() {
      await Promise.all([...Object.values(watches), definition].map((watch) => watch.stop()));
    },
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function watchNamespaces(deps: WatchDeps, namespaces: Map<string, Labels>, unread: Set<string>): CollectionWatch {
  unread.add(NAMESPACES_PATH);
  return watchCollection(
    deps,
    { path: NAMESPACES_PATH },
    {
      reset(items) {
        namespaces.clear();
        for (const item of items) keepLabels(namespaces, item);
        unread.delete(NAMESPACES_PATH);
      },
      changed: (object) => keepLabels(namespaces, object),
      deleted: (object) => void namespaces.delete(nameOf(object)),
    },
  );
}

function keepLabels(namespaces: Map<string, Labels>, object: ListedObject): void {
  const { name, labels } = kubernetesObject.parse(object).metadata;
  namespaces.set(name, labels);
}

/** Carries out what applied manifests want, one change after the other. */
function watchDefinition(deps: WatchDeps): CollectionWatch {
  let last: Promise<void> = Promise.resolve();
  function carryOut(object: ListedObject): void {
    last = last
      .then(() => applyWantedConstraint(deps.client, object))
      .then(
        (done) => (done ? deps.logger.info({ done }, 'constraint of the guard manifests') : undefined),
        (error: unknown) => deps.logger.warn({ problem: messageOf(error) }, 'constraint of the guard manifests failed'),
      );
  }
  return watchCollection(
    deps,
    { path: DEFINITIONS_PATH, selection: { fieldSelector: `metadata.name=${DEFINITION_NAME}` } },
    { reset: (items) => items.forEach(carryOut), changed: carryOut, deleted: () => undefined },
  );
}

/** What an object says, without its status and what the API server notes about it. */
function ruleText(object: ListedObject): string {
  const { uid, annotations } = kubernetesObject.parse(object).metadata;
  return JSON.stringify([uid, generationOf(object), annotations, object['spec']]);
}

function keyOf(object: ListedObject): string {
  const { namespace, name } = kubernetesObject.parse(object).metadata;
  return `${namespace}/${name}`;
}

function generationOf({ metadata }: ListedObject): number {
  const generation =
    typeof metadata === 'object' && metadata !== null && 'generation' in metadata && metadata.generation;
  return typeof generation === 'number' ? generation : 0;
}

function nameOf(object: ListedObject): string {
  return kubernetesObject.parse(object).metadata.name;
}
