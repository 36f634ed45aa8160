import type { Advice, ExceptionPart, Plan } from './advice.ts';

const DAY = 86_400_000;

/** The furthest end that an exception would be granted with now. Epoch ms. */
export type LatestEnd = (part: ExceptionPart) => Promise<number>;

/** The same advice with ends that are accepted. Plans with an exception that would be refused whatever its end are left out, and say why. */
export async function withinLimits({ plans, obstacles }: Advice, latestEnd: LatestEnd, now: number): Promise<Advice> {
  const kept: Plan[] = [];
  const refused = new Set<string>();
  for (const plan of plans) {
    const parts = await Promise.all(
      plan.parts.map(async (part) => (part.kind === 'exception' ? limited(part, latestEnd) : part)),
    );
    const late = parts.filter((part): part is ExceptionPart => part.kind === 'exception' && endOf(part.until) <= now);
    if (late.length === 0) kept.push({ ...plan, parts });
    for (const part of late) refused.add(tooLong(part));
  }
  return { plans: kept, obstacles: kept.length > 0 ? obstacles : [...obstacles, ...refused] };
}

async function limited(part: ExceptionPart, latestEnd: LatestEnd): Promise<ExceptionPart> {
  const latest = await latestEnd(part);
  return endOf(part.until) <= latest ? part : { ...part, until: new Date(latest - DAY).toISOString().slice(0, 10) };
}

/** Days are of UTC. */
function endOf(day: string): number {
  return Date.parse(day) + DAY;
}

function tooLong({ vulnerability, rule }: ExceptionPart): string {
  return `${vulnerability ?? rule}: with all it continues, an exception lasted as long as the policy lets it; fix it`;
}
