/** Reduces `info` to what does not depend on the host or the format's own details. */

/**
 * Drops the sizes on disk, the cluster size and the block of format specific facts of human output; in JSON output the
 * number after `actual-size` becomes `SIZE`.
 */
export function filterImgInfo(text: string): string {
  const kept: string[] = []
  let inSpecific = false
  for (const line of text.split('\n')) {
    // The block ends at the first line that is not indented.
    if (inSpecific && line.startsWith('    ')) continue
    inSpecific = line === 'Format specific information:'
    if (!inSpecific && !/^(disk size|cluster_size|cleanly shut down): /.test(line)) kept.push(line)
  }
  return kept.join('\n').replace(/("actual-size": )\d+/g, '$1SIZE')
}
