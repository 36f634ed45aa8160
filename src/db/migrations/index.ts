import type { Migration } from 'kysely/migration';
import type { Engine } from '../engine.ts';
import { initial } from './0001-initial.ts';
import { sourceNames } from './0003-source-names.ts';
import { layers } from './0004-layers.ts';
import { imageClocks } from './0005-image-clocks.ts';
import { garbageCollection } from './0006-garbage-collection.ts';
import { storageRules } from './0007-storage-rules.ts';
import { robots } from './0008-robots.ts';
import { ledgerLines } from './0010-ledger-lines.ts';
import { listsAtScale } from './0012-lists-at-scale.ts';
import { clusterFindings } from './0013-cluster-findings.ts';
import { guardChanges } from './0014-guard-changes.ts';
import { policyClocks } from './0015-policy-clocks.ts';
import { exceptions } from './0016-exceptions.ts';
import { notifications } from './0017-notifications.ts';
import { vex } from './0018-vex.ts';
import { packageLists } from './0019-package-lists.ts';
import { quarantines } from './0020-quarantines.ts';
import { policyChanges } from './0021-policy-changes.ts';
import { findings } from './0022-findings.ts';
import { readAndParted } from './0023-read-and-parted.ts';
import { findingGroups } from './0024-finding-groups.ts';
import { decisionState } from './0025-decision-state.ts';

/** All migrations by name; names sort in the order they run and never change once released. */
export function migrations(engine: Engine): Record<string, Migration> {
  return {
    '0001-initial': initial(engine),
    '0003-source-names': sourceNames,
    '0004-layers': layers,
    '0005-image-clocks': imageClocks(engine),
    '0006-garbage-collection': garbageCollection(engine),
    '0007-storage-rules': storageRules(engine),
    '0008-robots': robots(engine),
    '0010-ledger-lines': ledgerLines(engine),
    '0012-lists-at-scale': listsAtScale,
    '0013-cluster-findings': clusterFindings(engine),
    '0014-guard-changes': guardChanges(engine),
    '0015-policy-clocks': policyClocks(engine),
    '0016-exceptions': exceptions(engine),
    '0017-notifications': notifications(engine),
    '0018-vex': vex(engine),
    '0019-package-lists': packageLists,
    '0020-quarantines': quarantines(engine),
    '0021-policy-changes': policyChanges(engine),
    '0022-findings': findings(engine),
    '0023-read-and-parted': readAndParted(engine),
    '0024-finding-groups': findingGroups(engine),
    '0025-decision-state': decisionState(engine),
  };
}
