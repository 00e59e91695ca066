/** Proves the names that the driver goes by. */

import { expect, test } from 'vitest'
import { file, fileDriver } from '../src/index.ts'

test('the driver has the reference names, and strips its prefix', () => {
  expect(fileDriver).toMatchObject({ formatName: 'file', protocolName: 'file', kind: 'protocol', needsFilename: true })
  expect(fileDriver.parseFilename?.('file:a:b')).toEqual(new Map([['filename', './a:b']]))
  expect(file('x', { aio: 'sync' })).toMatchObject({ driver: fileDriver, options: { filename: 'x', aio: 'sync' } })
})
