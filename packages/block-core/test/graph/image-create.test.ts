// What is checked before an image is made, in the reference's order (spec/qemu-img.md, section 16.1).
import { beforeEach, expect, test } from 'vitest'
import type { AnyDriver, BlockError } from '../../src/driver.ts'
import type { CreateOptions } from '../../src/index.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { type CountedWorld, countedWorld } from '../helpers/counted.ts'
import { toyDriver } from '../helpers/toy-format.ts'
import { plainDriver } from '../helpers/world.ts'

let at: CountedWorld
beforeEach(async () => {
  const { create: _create, ...uncreatable } = toyDriver
  const readOnlyProtocol = { ...plainDriver, formatName: 'web', kind: 'protocol', protocolName: 'web' } as const
  const backingless = {
    ...toyDriver,
    formatName: 'flat',
    create: { ...toyDriver.create, options: { size: toyDriver.create!.options.size } },
  }
  at = countedWorld({
    drivers: [{ ...uncreatable, formatName: 'view' }, readOnlyProtocol, backingless as AnyDriver],
  })
  await at.graph.create('toy', 'dir/base', { size: 65536 })
  at.files.set('dir/broken', new MemoryStore(65536))
  return () => at.graph.close()
})

const backing = { filename: 'base', format: 'toy' }
const prepare = (request: CreateOptions, { format = 'toy', filename = 'dir/new' } = {}) =>
  at.graph.prepareCreate(format, filename, request)

/** Message and hint, as a tool prints them. */
async function refusal(request: CreateOptions, where: { format?: string; filename?: string } = {}): Promise<string[]> {
  const error = await prepare(request, where).then(
    () => undefined,
    (caught: BlockError) => caught,
  )
  return error === undefined ? [] : [error.message, ...(error.hint === undefined ? [] : [error.hint])]
}

const all = { size: 1024, options: { size: '1k', bogus: '1' }, backing: { filename: '', format: 'nope' } }

test('each refusal comes before all that follow', async () => {
  expect(await refusal(all, { format: 'nope', filename: 'nope:x' })).toEqual(["Unknown file format 'nope'"])
  expect(await refusal(all, { format: 'view', filename: 'nope:x' })).toEqual(["Unknown protocol 'nope'"])
  expect(await refusal(all, { format: 'view', filename: 'web:x' })).toEqual([
    "Format driver 'view' does not support image creation",
  ])
  expect(await refusal(all, { filename: 'web:x' })).toEqual(["Protocol driver 'web' does not support image creation"])
  expect(await refusal(all)).toEqual(["Invalid parameter 'bogus'"])
  expect(await refusal({ ...all, options: { size: '1k' } }, { format: 'flat' })).toEqual([
    'The image size must be specified only once',
  ])
  expect(await refusal({ backing: all.backing }, { format: 'flat' })).toEqual([
    "Backing file not supported for file format 'flat'",
  ])
  expect(await refusal({ backing: { filename: 'same' } }, { filename: 'same' })).toEqual([
    'Error: Trying to create an image with the same filename as the backing file',
  ])
  expect(await refusal({ backing: all.backing })).toEqual(['Expected backing file name, got empty string'])
  expect(await refusal({ backing: { filename: 'gone' } })).toEqual([
    "Could not open 'dir/gone': No such file or directory",
    'Could not open backing image.',
  ])
  expect(await refusal({ backing: { filename: 'base', format: 'nope' } })).toEqual([
    "Unknown driver 'nope'",
    'Could not open backing image.',
  ])
  expect(await refusal({ backing: { filename: 'base' } })).toEqual([
    'Backing file specified without backing format',
    'Detected format of toy.',
  ])
  expect(await refusal({ backing: { filename: 'base' }, unsafeBacking: true })).toEqual([
    'Backing file specified without backing format',
  ])
  expect(await refusal({ backing, unsafeBacking: true })).toEqual(['Image creation needs a size parameter'])
  expect(await refusal({})).toEqual(['Image creation needs a size parameter'])
  expect([at.open, [...at.files.keys()].sort()]).toEqual([[], ['dir/base', 'dir/broken']])
})

test('values that do not parse are refused with the other options', async () => {
  expect(await refusal({ options: { size: 'much' }, backing: { filename: '' } })).toEqual([
    "Parameter 'size' expects a non-negative number below 2^64",
    'Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively.',
  ])
  for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect((await refusal({ size }))[0], `${size}`).toMatch(
      /^Parameter 'size' expects a non-negative number below 2\^64$/,
    )
  }
  expect(await refusal({ size: 1, options: { fail: 'maybe' } })).toEqual(["Parameter 'fail' expects 'on' or 'off'"])
})

test('the backing image gives the size where there is no other, and is closed again', async () => {
  const { options, format, filename } = await prepare({ backing })
  expect({ options, format, filename }).toEqual({
    options: [
      { name: 'size', value: '65536' },
      { name: 'backing_file', value: 'base' },
      { name: 'backing_fmt', value: 'toy' },
      { name: 'fail', value: 'off' },
    ],
    format: 'toy',
    filename: 'dir/new',
  })
  expect([at.open, at.graph.nodes]).toEqual([[], []])
  expect((await prepare({ backing, size: 512 })).options[0]).toEqual({ name: 'size', value: '512' })
})

test('the name may come as an option too, relative to the new image', async () => {
  const creation = await prepare({ options: { backing_file: 'base', backing_fmt: 'toy' } })
  await creation.run()
  const disk = await at.graph.open('dir/new')
  expect(disk.root.backing?.filename).toBe('dir/base')
  expect(await refusal({ backing: { filename: 'base', format: 'toy' } }, { filename: 'base' })).toContain(
    'Error: Trying to create an image with the same filename as the backing file',
  )
})

test('what is wrong inside the backing image is told, unless nobody is to look', async () => {
  const broken = { filename: 'broken', format: 'toy' }
  expect(await refusal({ backing: broken })).toEqual(['Image is not in toy format', 'Could not open backing image.'])
  expect(await refusal({ backing: broken, size: 512, unsafeBacking: true })).toEqual([])
  expect(at.open).toEqual([])
})

test('an image without a place cannot look for a relative backing file', async () => {
  const filename = 'json:{"driver":"file","filename":"x"}'
  expect(await refusal({ backing }, { filename })).toEqual(["Unknown protocol 'json'"])
})
