/** A table to look up what a message sends: it has its entries and inherits nothing (`constructor`). */
export function lookup<T>(entries: Readonly<Record<string, T>>): Record<string, T> {
  return Object.assign(Object.create(null) as object, entries);
}
