/** One measured program in one round. `perSecond` counts whole operations. */
export interface Sample {
  readonly perSecond: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Processor time of the server for one operation, all its processes. */
  readonly cpuMs?: number;
  readonly peakMB?: number;
}

/** What one scenario gave, for each contender in the order of the rounds. The first contender is Breakwater. */
export interface Row {
  readonly scenario: string;
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

/** The middle value; the mean of both middle ones for an even count. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** `2.10x (1.90-2.31)`: the median of the rounds' ratios, each of two runs next to each other, and the span of them. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): string {
  const ratios = ratiosOf(ours, theirs);
  if (ratios.length === 0) return '-';
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  return `${plain(median(ratios))}x (${plain(low)}-${plain(high)})`;
}

/** Ours to theirs, round by round; rounds without theirs are left out. */
export function ratiosOf(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.flatMap((value, round) => {
    const other = theirs[round];
    return other === undefined || other === 0 ? [] : [value / other];
  });
}

/** Three figures are enough for what varies by per cents. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Runs `measure` for all contenders, round after round, each round in the opposite order of the one before. */
export async function alternate<Contender extends { readonly name: string }>(
  contenders: readonly Contender[],
  rounds: number,
  measure: (contender: Contender, round: number) => Promise<Sample>,
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) samples.get(contender.name)?.push(await measure(contender, round));
  }
  return samples;
}
