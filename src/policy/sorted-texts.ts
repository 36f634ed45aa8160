/** Texts of several lists in one, each once, by UTF-16 code unit. Each of the lists is such a list itself. */
export function merged(lists: readonly (readonly string[])[]): readonly string[] {
  let left = lists;
  while (left.length > 1) {
    const pairs: (readonly string[])[] = [];
    for (let at = 0; at < left.length; at += 2) pairs.push(mergedPair(left[at] ?? [], left[at + 1] ?? []));
    left = pairs;
  }
  return left[0] ?? [];
}

function mergedPair(a: readonly string[], b: readonly string[]): readonly string[] {
  if (b.length === 0) return a;
  const both: string[] = [];
  let [inA, inB] = [0, 0];
  for (;;) {
    const [one, other] = [a[inA], b[inB]];
    if (one === undefined || other === undefined) break;
    both.push(one <= other ? one : other);
    if (one <= other) inA += 1;
    if (other <= one) inB += 1;
  }
  for (; inA < a.length; inA += 1) both.push(a[inA] as string);
  for (; inB < b.length; inB += 1) both.push(b[inB] as string);
  return both;
}
