/** Proves, against the real tools, that both sides keep each other out in the same words, and see the same holes. */

import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBlockGraph } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { createFileDriver, createHostCdromDriver, createHostDeviceDriver } from '../src/index.ts'
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

  // Names that lead to no file, each with the words that the reference has for it.
  test.each([
    ['file', 'missing'],
    ['file', ''],
    ['file', '.'],
    ['file', 'link'],
    ['file', 'image/x'],
    ['file', 'image'.repeat(60)],
    ['file', 'd/'.repeat(2100)],
    ['file', 'file:image'],
    ['file', 'a:b'],
    ['file', 'fifo', 'rw'],
    ['file', '.', 'rw'],
    ['file', '/dev/zero'],
    ['file', '/proc/version'],
    ['host_device', 'image'],
    ['host_device', '.'],
    ['host_device', 'missing'],
    ['host_device', '/dev/tty0x'],
    ['host_device', '/dev/ptmx'],
    ['host_cdrom', 'image'],
  ])('%s does not open %s', async (driver, name, mode = 'ro') => {
    for (const [path, target] of [
      ['link', 'link'],
      ['image', ''],
    ] as const) {
      rmSync(join(folder, path), { force: true })
      if (target === '') writeFileSync(join(folder, path), '')
      else symlinkSync(target, join(folder, path))
    }
    if (!existsSync(join(folder, 'fifo'))) execFileSync('mkfifo', [join(folder, 'fifo')])
    const readOnly = mode === 'ro'
    const filename = name === '' || name.startsWith('/') ? name : `${folder}/${name}`
    const description = `driver=${driver},filename=${filename}`
    const args = [...(readOnly ? ['-r'] : []), '--image-opts', description, '-c', 'quit']
    const theirs = reference('qemu-io', args).stderr.replace("qemu-io: can't open: ", '')
    const graph = createBlockGraph({
      drivers: [createFileDriver(), createHostCdromDriver(), createHostDeviceDriver()],
      implicitOpen: 'deny',
    })
    const options = new Map([
      ['driver', driver],
      ['filename', filename],
    ])
    const ours = await failure(graph.open(options, { readOnly }))
    expect(`${ours.message}\n`).toBe(theirs)
  })

  // A name is bytes for the kernel and text for us; what is text arrives as it is.
  test.each(['é ü', 'tab\there', 'new\nline', 'back\\slash', "it's", 'a:b', '-r', '日本'])(
    'the name %j',
    async (name) => {
      const filename = path(name)
      writeFileSync(filename, new Uint8Array(512))
      const theirs = JSON.parse(reference('qemu-img', ['info', '-f', 'raw', '--output=json', filename]).stdout)
      const layer = await openLayer({ filename })
      expect([theirs.filename, theirs['virtual-size']]).toEqual([filename, layer.length])
      await layer.close()
    },
  )

  // The reference looks at a file's length once, and so do we: what another process adds is not ours to show.
  test.each(['grown', 'shrunk'])('a file that is %s meanwhile', async (what) => {
    const filename = path(what)
    writeFileSync(filename, new Uint8Array(MiB).fill(1))
    const graph = createBlockGraph({ drivers: [createFileDriver()], implicitOpen: 'deny' })
    const disk = await graph.open(
      new Map([
        ['driver', 'file'],
        ['filename', filename],
      ]),
    )
    const release = await holdInReference(
      ['-f', 'raw', filename],
      ['length', 'read -q 1m 512', 'read -q 100k 512', 'length'],
    )
    truncateSync(filename, what === 'grown' ? 2 * MiB : 50_000)
    const theirs = await release()
    expect(theirs).toContain('1 MiB')
    expect(theirs.match(/read failed: (.*)/g)).toEqual(['read failed: Input/output error'])
    expect(disk.length).toBe(MiB)
    expect((await failure(disk.read(MiB, new Uint8Array(512)))).message).toBe('Input/output error')
    const into = new Uint8Array(512).fill(255)
    await disk.read(100 * 1024, into)
    expect(into).toEqual(new Uint8Array(512).fill(what === 'grown' ? 1 : 0))
    await disk.close()
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
