/** A folder that goes away with the tests of the calling file. */

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** @returns its absolute path */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'blocklayer-iotests-test-')))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
