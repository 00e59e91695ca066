/** Proves that options reach the driver typed, that wrong ones are refused in the reference's words, and what a change may do. */

import { expect, test } from 'vitest'
import { amendImage, checkAmendOptions } from '../../src/backend/amend.ts'
import { defineDriver, nodeSpec } from '../../src/driver/block-driver.ts'
import { ChildRoles } from '../../src/driver/child.ts'
import { createBlockGraph } from '../../src/graph/block-graph.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'

const calls: string[] = []

interface Amended {
  readonly level?: string
  readonly lazy?: boolean
  readonly size?: number
}

/** Has options that can be amended, one of them its size. */
const changing = defineDriver<{ file: ReturnType<typeof memory> }, { cluster?: number }>({
  formatName: 'changing',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: 'where' } },
  create: { options: { cluster: { name: 'cluster', type: 'size', help: 'size' } }, run: async () => {} },
  amendOptions: {
    level: { name: 'level', type: 'string', help: 'a level' },
    lazy: { name: 'lazy', type: 'bool', help: 'be lazy' },
    size: { name: 'size', type: 'size', help: 'Virtual disk size' },
  },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.image, options.file)
    return {
      get length() {
        return file.length
      },
      read: (offset, into) => file.read(offset, into),
      writer: {
        write: (offset, data) => file.write(offset, data),
        truncate: (length, how) => file.truncate(length, how),
      },
      flushToOs: async () => void calls.push('flush'),
      maintenance: {
        async amend(given, job) {
          const wanted = given as Amended
          if (wanted.level === 'dead') context.eject()
          else calls.push(`${JSON.stringify(wanted)} force ${job.force}`)
          job.onProgress?.({ current: 1, total: 1 })
          if (wanted.size !== undefined) await job.truncate(wanted.size)
        },
      },
      close: async () => undefined,
    }
  },
})

const open = (readOnly = false) => {
  const graph = createBlockGraph({ drivers: [changing], implicitOpen: 'deny' })
  return graph.open(nodeSpec(changing, { file: memory(new MemoryStore(1024)) }), { readOnly })
}

test('options arrive typed, the size changes, and all is flushed', async () => {
  await using disk = await open()
  calls.length = 0
  await amendImage(
    disk,
    { level: 'a', lazy: 'on', size: '2k' },
    { onProgress: ({ current }) => calls.push(`${current}`) },
  )
  await amendImage(disk, new Map([['lazy', false]]), { force: true })
  expect(calls).toEqual([
    '{"level":"a","lazy":true,"size":2048} force false',
    '1',
    'flush',
    '{"lazy":false} force true',
    'flush',
  ])
  expect(disk.length).toBe(2048)
})

test.each([
  [
    { lazy: 'on', foo: 1 },
    { code: 'EINVAL', message: "Invalid parameter 'foo'", hint: undefined },
  ],
  [
    { cluster: 1 },
    {
      code: 'EINVAL',
      message: "Invalid parameter 'cluster'",
      hint: 'This option is only supported for image creation',
    },
  ],
  [
    { cluster: 1, foo: 1 },
    { code: 'EINVAL', message: "Invalid parameter 'cluster'", hint: undefined },
  ],
  [
    { size: 'x', cluster: 1 },
    { code: 'EINVAL', message: "Parameter 'size' expects a non-negative number below 2^64" },
  ],
  [{ lazy: 'maybe' }, { code: 'EINVAL', message: "Parameter 'lazy' expects 'on' or 'off'" }],
] as const)('%o', async (options, failure) => {
  await using disk = await open()
  await expect(amendImage(disk, options)).rejects.toMatchObject(failure)
  expect(() => checkAmendOptions(disk, options)).toThrow(failure.message)
})

test('a driver that cannot, a read-only node, and one that has been ejected', async () => {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  await using plain = await graph.open(memory(new MemoryStore(1024)))
  await expect(amendImage(plain, {})).rejects.toMatchObject({
    code: 'ENOTSUP',
    message: `Block driver '${plain.root.driverName}' does not support option amendment`,
  })
  await using readOnly = await open(true)
  await expect(amendImage(readOnly, { lazy: 'on' })).rejects.toMatchObject({ code: 'EACCES' })
  const disk = await open()
  await expect(amendImage(disk, { level: 'dead' })).rejects.toMatchObject({ code: 'ENOMEDIUM' })
  await expect(amendImage(disk, {})).rejects.toMatchObject({ code: 'ENOMEDIUM', message: 'Node is ejected' })
})
