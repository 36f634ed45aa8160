/** The project of a repository: its first path element. */
export function projectOf(repository: string): string {
  return repository.split('/', 1)[0] ?? '';
}
