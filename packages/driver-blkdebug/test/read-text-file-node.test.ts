/** Proves that the Node leaf reads files. What it says where it cannot is in driver.test.ts. */

import { expect, test } from 'vitest'
import { readTextFile } from '../src/read-text-file-node.ts'

test('a file is read', async () => {
  expect(await readTextFile(import.meta.filename)).toContain('Proves that the Node leaf')
})
