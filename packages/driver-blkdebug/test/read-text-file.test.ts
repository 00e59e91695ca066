/** Proves both leaves: files where there are files, a clear refusal elsewhere. */

import { expect, test } from 'vitest'
import { readTextFile as readInBrowser } from '../src/read-text-file-browser.ts'
import { readTextFile } from '../src/read-text-file-node.ts'

test('Node reads', async () => {
  expect(await readTextFile(import.meta.filename)).toContain('Proves both leaves')
})

test('a browser cannot', async () => {
  await expect(readInBrowser('x')).rejects.toMatchObject({
    code: 'ENOTSUP',
    message: 'Could not read blkdebug config file: Operation not supported',
  })
})
