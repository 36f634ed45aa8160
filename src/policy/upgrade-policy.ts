/** Names of statuses as they were once ignored, and the switches that say so now. */
const SWITCHES: Readonly<Record<string, string>> = {
  will_not_fix: 'willNotFix',
  fix_deferred: 'fixDeferred',
  under_investigation: 'underInvestigation',
  end_of_life: 'endOfLife',
};

/**
 * A stored policy document in today's form. Documents are kept as they were written: the first form had one grace period for
 * fixable and unfixable alike, statuses to ignore as a list, and actions beside what they act on. What has today's form stays.
 */
export function upgradePolicy(stored: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { graceDays, ignoreStatuses, kev, epss, epssAction, advisoryAge, advisoryAgeDays, ...rest } = stored;
  return {
    ...rest,
    ...present('graceDays', isBySeverity(graceDays) ? { fixable: graceDays, unfixable: graceDays } : graceDays),
    ...(Array.isArray(ignoreStatuses) ? { counting: switchesOf(ignoreStatuses) } : {}),
    ...present('kev', typeof kev === 'string' ? { action: kev } : kev),
    ...upgradePair('epss', 'threshold', epss, epssAction),
    ...upgradePair('advisoryAge', 'days', advisoryAgeDays, advisoryAge),
  };
}

function isBySeverity(graceDays: unknown): boolean {
  return (
    typeof graceDays === 'object' && graceDays !== null && !('fixable' in graceDays) && !('unfixable' in graceDays)
  );
}

function switchesOf(ignored: readonly unknown[]): Record<string, 'count' | 'ignore'> {
  return Object.fromEntries(
    Object.entries(SWITCHES).map(([status, name]) => [name, ignored.includes(status) ? 'ignore' : 'count']),
  );
}

/** A value and what is done about it, once beside each other, now together. */
function upgradePair(name: string, part: string, value: unknown, action: unknown): Record<string, unknown> {
  const today = [value, action].find((given) => typeof given === 'object' && given !== null);
  if (today !== undefined) return { [name]: today };
  const pair = { ...present(part, value), ...present('action', action) };
  return Object.keys(pair).length === 0 ? {} : { [name]: pair };
}

function present(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value };
}
