/** Groups of tests. */

import { type DiscoveredTest, SelectionError } from './discover.ts'

/** Every group, with what it is for. */
export const groups: Readonly<Record<string, string>> = {
  auto: 'needs nothing of the host but the tools',
  quick: 'ends within seconds on the reference',
  backing: 'backing chains',
  commit: 'commit and emptying',
  blkdebug: 'injected errors',
}

/**
 * The tests that are in every group of `wanted`.
 *
 * @throws SelectionError for a group that is not in the list
 */
export function selectGroups(tests: readonly DiscoveredTest[], wanted: readonly string[]): DiscoveredTest[] {
  for (const group of wanted) {
    if (!Object.hasOwn(groups, group)) {
      throw new SelectionError(`No group '${group}'; there are: ${Object.keys(groups).join(', ')}`)
    }
  }
  return tests.filter(({ test }) => wanted.every((group) => test.groups.includes(group)))
}
