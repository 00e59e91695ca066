/** What a filter is: golden output must not depend on where, in which format and how fast a test ran. */

/** Makes one kind of detail in a tool's output the same everywhere; pure. */
export type Filter = (text: string) => string

/** One filter that applies `filters` in order. */
export function chain(...filters: readonly Filter[]): Filter {
  return (text) => filters.reduce((current, filter) => filter(current), text)
}
