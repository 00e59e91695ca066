/** Proves that where there are no files a rules file is refused, not ignored. */

import { expect, test } from 'vitest'
import { readTextFile } from '../src/read-text-file-browser.ts'

test('a file is refused', async () => {
  await expect(readTextFile('x')).rejects.toMatchObject({
    code: 'ENOTSUP',
    message: 'Could not read blkdebug config file: Operation not supported',
  })
})
