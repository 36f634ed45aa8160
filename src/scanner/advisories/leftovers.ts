/** Files beside a database that is being built, which a build that dies leaves behind: the staging database and a part. */
export function leftovers(out: string): readonly [staging: string, part: string] {
  return [`${out}.staging`, `${out}.part`];
}
