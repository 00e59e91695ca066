/** Proves that both null drivers open by name, by options and in code, as protocols. */

import { expect, test } from 'vitest'
import { nullAio, nullAioDriver, nullCo, nullCoDriver } from '../src/index.ts'
import { failure, newGraph, open } from './support.ts'

test('the drivers have the reference names', () => {
  expect(nullCoDriver).toMatchObject({ formatName: 'null-co', protocolName: 'null-co', kind: 'protocol' })
  expect(nullAioDriver).toMatchObject({ formatName: 'null-aio', protocolName: 'null-aio', kind: 'protocol' })
})

test.each([
  ['in code', nullCo(), 'null-co'],
  ['in code', nullAio({ size: 512 }), 'null-aio'],
  ['as options', 'driver=null-aio,size=512', 'null-aio'],
  ['as json:', 'json:{"driver":"null-co","size":512}', 'null-co'],
])('%s: %j', async (_, image, driverName) => {
  const disk = await open(image)
  expect(disk.root).toMatchObject({ driverName, readOnly: false })
})

test('a name opens with a driver named', async () => {
  const disk = await newGraph().open('null-co://', { format: 'null-co' })
  expect(disk.root.filename).toBe('null-co://')
  expect(disk.length).toBe(2 ** 30)
  expect(await failure('null-co://x')).toBe("The only allowed filename for this driver is 'null-co://'")
})
