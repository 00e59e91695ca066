// The backing file: the recorded one, what the user puts in its place, the policy's word, and chains that meet themselves.
import { beforeEach, expect, test } from 'vitest'
import type { FlatOptions } from '../../src/driver.ts'
import { takeBackingOptions } from '../../src/graph/open-backing.ts'
import type { ImplicitReference } from '../../src/index.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { type CountedWorld, countedWorld } from '../helpers/counted.ts'
import { toy } from '../helpers/toy-format.ts'
import { failure } from '../helpers/world.ts'

let at: CountedWorld
beforeEach(async () => {
  at = countedWorld()
  await at.graph.create('toy', 'dir/base', { size: 65536 })
  await at.graph.create('toy', 'other', { size: 65536 })
  await at.graph.create('toy', 'dir/top', { size: 65536, backing: { filename: 'base', format: 'toy' } })
  at.files.set('plain', new MemoryStore(65536))
  return () => at.graph.close()
})

const flat = (options: Record<string, string | null | boolean>): FlatOptions => new Map(Object.entries(options))
const topWith = (options: Record<string, string | null | boolean>) =>
  at.graph.open(flat({ driver: 'toy', 'file.filename': 'dir/top', ...options }), { readOnly: true })
const backingOf = async (options: Record<string, string | null | boolean>) => (await topWith(options)).root.backing

test('a recorded name is opened beside the image, read-only, with the recorded format', async () => {
  const disk = await at.graph.open('dir/top')
  expect(disk.root.backing).toMatchObject({ filename: 'dir/base', driverName: 'toy', readOnly: true })
  expect(disk.root.backing?.children.get('file')?.readOnly).toBe(true)
})

test('options change parts of it: the recorded name stays unless a file is named', async () => {
  expect(await backingOf({ 'backing.driver': 'raw' })).toMatchObject({ driverName: 'raw' })
  expect(await backingOf({ 'backing.read-only': 'off' })).toMatchObject({ readOnly: false })
  expect(await backingOf({ 'backing.file.filename': 'other' })).toMatchObject({ filename: 'other', driverName: 'toy' })
  const full = { 'backing.driver': 'toy', 'backing.file.driver': 'file', 'backing.file.filename': 'other' }
  expect(await backingOf(full)).toMatchObject({ filename: 'other' })
})

test('another node, or none', async () => {
  const other = await at.graph.open('other', { nodeName: 'o', readOnly: true })
  expect(await backingOf({ backing: 'o' })).toBe(other.root)
  expect(await backingOf({ backing: null })).toBeUndefined()
  expect(at.messages).toEqual([])
  expect(await backingOf({ backing: '' })).toBeUndefined()
  expect(at.messages).toEqual([
    { kind: 'warning', text: 'Use of "backing": "" is deprecated; use "backing": null instead' },
  ])
  const disk = await at.graph.open('dir/top', { readOnly: true, backing: null })
  expect(disk.root.backing).toBeUndefined()
  const replaced = await at.graph.open('dir/top', { readOnly: true, backing: memory(new MemoryStore(512)) })
  expect(replaced.root.backing?.driverName).toBe('memory')
  const without = await at.graph.open('dir/top', { readOnly: true, noBacking: true })
  expect(without.root.backing).toBeUndefined()
})

test.each<[Record<string, string | null>, string]>([
  [{ backing: 'nope' }, "Could not open backing file: Cannot find device='nope' nor node-name='nope'"],
  [
    { backing: 'nope', 'backing.driver': 'raw' },
    'Could not open backing file: Cannot reference an existing block device with additional options or a new filename',
  ],
  [{ 'backing.driver': 'nope' }, "Could not open backing file: Unknown driver 'nope'"],
  [{ 'backing.bogus': '1' }, "Could not open backing file: Block format 'toy' does not support the option 'bogus'"],
  [{ 'backing.read-only': 'x' }, "Could not open backing file: Parameter 'read-only' expects 'on' or 'off'"],
  [
    { 'backing.file.filename': 'missing' },
    "Could not open backing file: Could not open 'missing': No such file or directory",
  ],
  // The backing file comes before options that nobody wanted.
  [{ 'backing.file.filename': 'plain', bogus: '1' }, 'Could not open backing file: Image is not in toy format'],
  [{ backing: null, 'backing.driver': 'toy' }, "Block format 'toy' does not support the option 'backing.driver'"],
])('%o: %s', async (options, message) => {
  expect(await failure(topWith(options))).toBe(message)
  expect([at.open, at.graph.nodes]).toEqual([[], []])
})

test('what contradicts the call is refused, not dropped', async () => {
  const text = "Block format 'toy' does not support the option 'backing.driver'"
  const options = flat({ driver: 'toy', 'file.filename': 'dir/top', 'backing.driver': 'raw' })
  expect(await failure(at.graph.open(new Map(options), { readOnly: true, noBacking: true }))).toBe(text)
  expect(await failure(at.graph.open(new Map(options), { readOnly: true, backing: null }))).toBe(text)
})

test('an image without a backing file, or a format without any', async () => {
  const other = { driver: 'toy', 'file.filename': 'other' }
  const text = 'Could not open backing file: A block device must be specified for "file"'
  expect(await failure(at.graph.open(flat({ ...other, 'backing.driver': 'toy' })))).toBe(text)
  const given = { ...other, 'backing.driver': 'raw', 'backing.file.filename': 'plain' }
  expect((await at.graph.open(flat(given))).root.backing?.driverName).toBe('raw')
  const raw = (more: Record<string, string | null>) =>
    at.graph.open(flat({ driver: 'raw', 'file.filename': 'plain', ...more }))
  expect(await failure(raw({ 'backing.driver': 'raw' }))).toBe("Driver doesn't support backing files")
  expect(await failure(raw({ backing: 'x' }))).toBe("Driver doesn't support backing files")
  expect((await raw({ backing: null })).root.backing).toBeUndefined()
})

test('errors nest, one prefix for each step', async () => {
  await at.graph.create('toy', 'a', { size: 4096, backing: { filename: 'gone', format: 'toy' }, unsafeBacking: true })
  await at.graph.create('toy', 'b', { size: 4096, backing: { filename: 'a', format: 'toy' }, unsafeBacking: true })
  const text =
    "Could not open backing file: Could not open backing file: Could not open 'gone': No such file or directory"
  expect(await failure(at.graph.open('b'))).toBe(text)
})

async function loop(names: readonly string[], spelled: (name: string) => string): Promise<void> {
  for (const [index, name] of names.entries()) {
    const backing = { filename: spelled(names[(index + 1) % names.length]!), format: 'toy' }
    await at.graph.create('toy', name, { size: 4096, backing, unsafeBacking: true })
  }
}

test.each([
  ['an image that names itself', ['one'], (name: string) => `./${name}`],
  ['three in a circle', ['one', 'two', 'three'], (name: string) => name],
  ['spelled in another way each time', ['one', 'two'], (name: string) => `./${name}`],
  [
    'a whole tree in the name',
    ['one'],
    (name: string) => `json:{"driver":"toy","file":{"driver":"file","filename":"${name}"}}`,
  ],
])('a loop is an error: %s', async (_name, names, spelled) => {
  await loop(names, spelled)
  const message = await failure(at.graph.open(names[0]!, { readOnly: true }))
  expect(message).toMatch(/^(Could not open backing file: )+Backing file '(\.\/)*one' creates an infinite loop\.$/)
  expect([at.open, at.graph.nodes]).toEqual([[], []])
})

test('stores without names are no loop', async () => {
  const [top, base] = [at.files.get('dir/top')!, at.files.get('dir/base')!]
  const disk = await at.graph.open(toy(memory(top)), { backing: toy(memory(base)), readOnly: true })
  expect(disk.root.backing?.driverName).toBe('toy')
})

test('deny: no image opens another one', async () => {
  const closed = countedWorld({ implicitOpen: 'deny' })
  for (const [name, store] of at.files) closed.files.set(name, store)
  const text = "Could not open backing file: The image names the backing file 'dir/base', which this graph may not open"
  const error = await closed.graph.open('dir/top', { readOnly: true }).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'EACCES', message: text })
  expect([closed.open, closed.graph.nodes]).toEqual([[], []])
  const explicit = flat({ driver: 'toy', 'file.filename': 'dir/top', 'backing.file.filename': 'dir/base' })
  expect((await closed.graph.open(explicit, { readOnly: true })).root.backing?.filename).toBe('dir/base')
  expect((await closed.graph.open('dir/top', { readOnly: true, backing: null })).root.backing).toBeUndefined()
  await closed.graph.close()
})

test('a policy decides case by case, and may give another node', async () => {
  const asked: ImplicitReference[] = []
  const replacement = memory(new MemoryStore(4096))
  const deciding = countedWorld({
    implicitOpen: (reference) => {
      asked.push(reference)
      return replacement
    },
  })
  for (const [name, store] of at.files) deciding.files.set(name, store)
  const disk = await deciding.graph.open('dir/top', { readOnly: true })
  expect(disk.root.backing?.driverName).toBe('memory')
  expect(asked).toEqual([{ role: 'backing', filename: 'dir/base', format: 'toy', referrer: disk.root }])
  expect(disk.root.filename).toMatch(/^json:/)
  await deciding.graph.close()
})

// In a browser the overlay is a dropped file without a folder around it: only the page knows where the base is.
test('an image without a place asks the policy first, and fails only if that says allow', async () => {
  const top = at.files.get('dir/top')!
  const asked: string[] = []
  for (const verdict of ['allow', memory(at.files.get('plain')!)] as const) {
    const placeless = countedWorld({
      implicitOpen: ({ filename }) => {
        asked.push(filename)
        return verdict
      },
    })
    const opening = placeless.graph.open(toy(memory(top)), { readOnly: true })
    const text = 'Cannot generate a base directory for memory nodes'
    expect(await failure(opening)).toBe(verdict === 'allow' ? text : 'no failure')
    await placeless.graph.close()
  }
  expect(asked).toEqual(['base', 'base'])
})

test('options are taken only where they are wanted', () => {
  const warned: string[] = []
  const options = flat({ backing: true, 'backing.x': '1', y: '2' })
  const taken = takeBackingOptions(options, false, (text) => warned.push(text))
  expect([taken.none, taken.reference, [...taken.options.keys()], [...options.keys()], warned]).toEqual([
    false,
    undefined,
    ['x'],
    ['backing', 'y'],
    [],
  ])
})
