// Proves which formats take the format of a backing file: those that have an option for it.

import { createBlockGraph } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { requireBackingFormat } from '../src/backing-format.ts'
import { builtInDrivers } from '../src/drivers.ts'

test('formats with an option for it, and those of which nothing is made', async () => {
  await using graph = createBlockGraph({ drivers: builtInDrivers(new Map()), implicitOpen: 'deny' })
  for (const format of ['qcow2', 'quorum', 'unknown']) expect(() => requireBackingFormat(graph, format)).not.toThrow()
  expect(() => requireBackingFormat(graph, 'raw')).toThrow("Backing file format not supported for file format 'raw'")
})
