import { createGlassHistory, type GlassHistory } from './break-glass-history.ts';
import { createRuleHistory, type RuleHistory } from './rule-history.ts';
import { createRunHistory, type KeptRunHistory } from './run-history.ts';

/** What earlier admissions and runs mean for later ones: which images ran for whom, who broke the glass, and what the rules said. */
export interface AdmissionHistory {
  readonly runs: KeptRunHistory;
  readonly glass: GlassHistory;
  readonly rules: RuleHistory;
  /** Plain JSON for `load`. With `most`, only so many sightings, of what was seen last. */
  save(most?: number): unknown;
  /** Adds what was saved, here or by another replica. What has another form is passed over. */
  load(value: unknown): void;
}

/** An empty, bounded history in memory. */
export function createAdmissionHistory(): AdmissionHistory {
  const runs = createRunHistory();
  const glass = createGlassHistory();
  const rules = createRuleHistory();
  return {
    runs,
    glass,
    rules,
    save: (most) => ({ runs: runs.save(most), glass: glass.save(most), rules: rules.save() }),
    load(value) {
      if (typeof value !== 'object' || value === null) return;
      const { runs: savedRuns, glass: savedGlass, rules: savedRules } = value as Record<string, unknown>;
      runs.load(savedRuns);
      glass.load(savedGlass);
      rules.load(savedRules);
    },
  };
}
