/** Hides the folder a test runs in. */

import type { Filter } from './filter.ts'

/**
 * Replaces the scratch folder's path by `TEST_DIR`.
 *
 * @param folder - absolute, without a slash at the end
 */
export function testDirFilter(folder: string): Filter {
  return (text) => text.replaceAll(folder, 'TEST_DIR')
}
