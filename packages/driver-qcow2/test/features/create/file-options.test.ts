/** Proves that options of the file (`nocow`) get through to it when an image is made, and change nothing in the image. */

import { createBlockGraph } from '@blocklayer/block-core'
import { defineDriver } from '@blocklayer/block-core/driver'
import { type MemoryFileCreateOptions, type MemoryFileOptions, MemoryFiles } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { qcow2Driver } from '../../../src/index.ts'

interface AskedOptions extends MemoryFileCreateOptions {
  readonly nocow?: boolean
}

/** Files in memory that can be made without copy-on-write, and a list of what they were asked for. */
function askedFiles() {
  const files = new MemoryFiles()
  const { create, ...rest } = files.driver
  const nocow = { name: 'nocow', type: 'bool', help: 'Turn off copy-on-write (valid only on btrfs)' } as const
  const asked: unknown[] = []
  const driver = defineDriver<MemoryFileOptions, AskedOptions>({
    ...rest,
    create: {
      ...create!,
      options: { ...create!.options, nocow },
      run: (context, options) => {
        asked.push(options.nocow)
        return create!.run(context, {})
      },
    },
  })
  return { files, driver, asked }
}

test.each(['on', 'off', undefined])('nocow=%s', async (value) => {
  const { files, driver, asked } = askedFiles()
  await using graph = createBlockGraph({ drivers: [driver, qcow2Driver], implicitOpen: 'deny' })
  const options = value === undefined ? {} : { nocow: value }
  await graph.create('qcow2', 'mem:image', { size: 1024 * 1024, options })
  await graph.create('qcow2', 'mem:plain', { size: 1024 * 1024 })
  expect(asked).toEqual([value === undefined ? undefined : value === 'on', undefined])
  expect(files.stores.get('image')!.bytes()).toEqual(files.stores.get('plain')!.bytes())
})
