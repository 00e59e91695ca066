/** Proves, against the real tools, that both sides keep each other out in the same words, and see the same holes. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  createImage,
  failure,
  holdInReference,
  openLayer,
  reference,
  temporaryFolder,
  withoutReference,
} from './support.ts'

const folder = temporaryFolder()
const path = (name: string): string => join(folder, name)
const MiB = 0x10_0000
const qcow2Writer = { taken: 1 + 2 + 8, shared: 15 - 2 - 8 }
const qcow2Reader = { taken: 1, shared: 15 - 2 - 8 }
const rawWriter = { taken: 1 + 2, shared: 15 }

function qcow2Image(name: string): string {
  expect(reference('qemu-img', ['create', '-q', '-f', 'qcow2', path(name), '1M']).status).toBe(0)
  return path(name)
}

describe.skipIf(withoutReference)('beside qemu-img and qemu-io (skipped where they are not installed)', () => {
  test('we keep them out', async () => {
    const filename = qcow2Image('ours')
    const layer = await openLayer({ filename })
    const hint = `Is another process using the image [${filename}]?\n`
    const open = (...args: string[]): string => reference('qemu-io', [...args, '-c', 'quit', filename]).stderr
    layer.setPermissions?.(qcow2Writer)
    expect(open('-r')).toBe(`qemu-io: can't open device ${filename}: Failed to get shared "write" lock\n${hint}`)
    expect(open()).toBe(`qemu-io: can't open device ${filename}: Failed to get "write" lock\n${hint}`)
    expect(reference('qemu-img', ['create', '-q', '-f', 'qcow2', filename, '1M']).stderr).toBe(
      `qemu-img: ${filename}: Failed to get "write" lock\n${hint}`,
    )
    expect(reference('qemu-img', ['info', '-U', filename]).status).toBe(0)
    expect(reference('qemu-img', ['info', '-f', 'raw', filename]).status).toBe(0)
    layer.setPermissions?.(qcow2Reader)
    expect(open('-r')).toBe('')
    expect(open()).toBe(`qemu-io: can't open device ${filename}: Failed to get "write" lock\n${hint}`)
    layer.setPermissions?.(rawWriter)
    expect(open('-f', 'raw')).toBe('')
    await layer.close()
    expect(open()).toBe('')
  })

  test('they keep us out', async () => {
    const filename = qcow2Image('theirs')
    const hint = `Is another process using the image [${filename}]?`
    const layer = await openLayer({ filename })
    const attempt = (permissions: { taken: number; shared: number }): unknown => {
      try {
        layer.setPermissions?.(permissions)
        return 'held'
      } catch (error) {
        return (error as Error).message
      }
    }
    const releaseWriter = await holdInReference(['-f', 'qcow2', filename])
    expect(attempt(qcow2Reader)).toBe('Failed to get shared "write" lock')
    expect(attempt(qcow2Writer)).toBe('Failed to get "write" lock')
    expect(attempt({ taken: 1, shared: 15 })).toBe('held')
    expect(await failure(createImage(filename, MiB))).toEqual({
      code: 'EAGAIN',
      message: 'Failed to get "write" lock',
      hint,
    })
    await releaseWriter()
    const releaseReader = await holdInReference(['-r', '-f', 'qcow2', filename])
    expect(attempt(qcow2Reader)).toBe('held')
    expect(attempt(qcow2Writer)).toBe('Failed to get "write" lock')
    await releaseReader()
    expect(attempt(qcow2Writer)).toBe('held')
    await layer.close()
  })

  test('locks survive reopening, as they see it', async () => {
    const filename = qcow2Image('reopened')
    const layer = await openLayer({ filename }, { readOnly: true })
    layer.setPermissions?.(qcow2Reader)
    await layer.reopen?.({ readOnly: false })
    expect(reference('qemu-io', ['-c', 'quit', filename]).stderr).toContain('Failed to get "write" lock')
    expect(reference('qemu-io', ['-r', '-c', 'quit', filename]).status).toBe(0)
    await layer.close()
  })

  test('block status is what their map prints', async () => {
    const filename = path('sparse')
    writeFileSync(filename, new Uint8Array(3 * MiB + 1000).fill(1))
    const layer = await openLayer({ filename })
    await layer.writer?.discard?.(MiB, 65536)
    await layer.writer?.writeZeroes?.(0, 4096, { mayUnmap: false, noFallback: false, fua: false })
    await layer.writer?.truncate?.(5 * MiB + 100, { preallocation: 'off', exact: true, zeroNewArea: false })
    await layer.writer?.write(4 * MiB, new Uint8Array(100).fill(1), { fua: false })
    await layer.flushToDisk?.()
    const ours = []
    const end = Math.ceil(layer.length / 512) * 512
    for (let start = 0; start < end; ) {
      const status = await layer.mapping?.blockStatus(start, end - start, true)
      if (!status) break
      const length = Math.min(status.bytes, end - start)
      ours.push({ start, length, zero: status.zero, data: status.data, offset: status.hostOffset })
      start += length
    }
    await layer.close()
    const map = JSON.parse(reference('qemu-img', ['map', '-f', 'raw', '--output=json', filename]).stdout)
    const theirs = map.map((run: Record<string, unknown>) => ({
      start: run.start,
      length: run.length,
      zero: run.zero,
      data: run.data,
      offset: run.offset,
    }))
    expect(ours).toEqual(theirs)
  })

  test('a created file has the blocks that theirs has', async () => {
    for (const preallocation of ['off', 'falloc', 'full'] as const) {
      await createImage(path(`ours-${preallocation}`), 4 * MiB, { preallocation })
      reference('qemu-img', [
        'create',
        '-f',
        'raw',
        '-o',
        `preallocation=${preallocation}`,
        path(`theirs-${preallocation}`),
        '4M',
      ])
      const disk = (name: string): unknown =>
        JSON.parse(reference('qemu-img', ['info', '-f', 'raw', '--output=json', path(name)]).stdout)['actual-size']
      expect(disk(`ours-${preallocation}`)).toBe(disk(`theirs-${preallocation}`))
    }
  })
})
