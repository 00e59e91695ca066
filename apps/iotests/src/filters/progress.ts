/** Keeps the end of a progress line. */

/** What a carriage return would overwrite on a terminal is dropped: how often a tool reports depends on the clock. */
export function filterProgress(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .map((line) => line.slice(line.lastIndexOf('\r') + 1))
    .join('\n')
}
