/** Reduces `check` to what it found. */

/** Drops the statistics: how much is allocated, fragmented and compressed, and where the image ends. */
export function filterCheck(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\d+\/\d+ = [\d.]+% allocated, /.test(line) && !line.startsWith('Image end offset: '))
    .join('\n')
}
