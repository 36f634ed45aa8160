import type { ConstraintSource } from '../admission/constraint-source.ts';
import { type Constraint, ConstraintError, parseConstraint } from '../constraints/constraint.ts';
import { kubernetesObject } from '../constraints/kubernetes-object.ts';
import { CONSTRAINTS_PATH, DEFINITION_NAME, DEFINITIONS_PATH, NAMESPACES_PATH } from '../constraints/paths.ts';
import type { ListedObject } from '../kubernetes/list-pages.ts';
import {
  type CollectionObserver,
  type CollectionWatch,
  type WatchDeps,
  watchCollection,
} from '../kubernetes/watch-collection.ts';
import { messageOf } from '../platform/errors.ts';
import { applyWantedConstraint } from './wanted-constraint.ts';

export interface ConstraintWatcher extends ConstraintSource {
  stop(): Promise<void>;
}

/** Watches renew at least every 50 s; older than this means the API server is out of reach. */
const STALE_MS = 90_000;
const NAMESPACE_WAIT_MS = 500;

type Labels = Readonly<Record<string, string>>;

/** Keeps the cluster's constraints and the labels of its namespaces in memory, from the moment it is made. */
export function createConstraintWatcher(deps: WatchDeps): ConstraintWatcher {
  const constraints = new Map<string, Constraint>();
  const namespaces = new Map<string, Labels>();
  let listed = false;
  let current: readonly Constraint[] | undefined;

  function take(object: ListedObject): void {
    try {
      const constraint = parseConstraint(object);
      constraints.set(constraint.name, constraint);
      for (const problem of constraint.problems)
        deps.logger.warn({ constraint: constraint.name, problem }, 'constraint');
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error;
      constraints.delete(nameOf(object));
      deps.logger.error({ constraint: nameOf(object), problem: error.message }, 'constraint is not enforced');
    }
  }
  function publish(): void {
    current = [...constraints.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  const constraintObserver: CollectionObserver = {
    reset(items) {
      constraints.clear();
      for (const item of items) take(item);
      publish();
    },
    changed(object) {
      take(object);
      publish();
    },
    deleted(object) {
      constraints.delete(nameOf(object));
      publish();
    },
  };
  const namespaceObserver: CollectionObserver = {
    reset(items) {
      namespaces.clear();
      for (const item of items) keepLabels(item);
      listed = true;
    },
    changed: keepLabels,
    deleted: (object) => void namespaces.delete(nameOf(object)),
  };
  function keepLabels(object: ListedObject): void {
    namespaces.set(nameOf(object), kubernetesObject.parse(object).metadata.labels);
  }
  const watches = {
    constraints: watchCollection(deps, { path: CONSTRAINTS_PATH }, constraintObserver),
    namespaces: watchCollection(deps, { path: NAMESPACES_PATH }, namespaceObserver),
  };

  const definition = watchDefinition(deps);

  return {
    constraints: () => (listed ? current : undefined),
    namespaceLabels: (name) => namespaces.get(name),
    problem() {
      for (const [what, watch] of Object.entries(watches)) {
        const contact = watch.lastContact();
        const why = watch.failure() ?? 'no answer from the API server';
        if (contact === undefined) return `the ${what} of the cluster have not been read yet: ${why}`;
        const age = deps.clock.now() - contact;
        if (age > STALE_MS) return `the ${what} of the cluster are ${Math.round(age / 1000)} s old: ${why}`;
      }
      return undefined;
    },
    async ensureNamespace(name) {
      const reading = deps.client.get(`${NAMESPACES_PATH}/${encodeURIComponent(name)}`).then(
        (object) => keepLabels(object as ListedObject),
        () => undefined,
      );
      await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, NAMESPACE_WAIT_MS).unref())]);
    },
    async stop() {
      await Promise.all([watches.constraints.stop(), watches.namespaces.stop(), definition.stop()]);
    },
  };
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

function nameOf(object: ListedObject): string {
  return kubernetesObject.parse(object).metadata.name;
}
