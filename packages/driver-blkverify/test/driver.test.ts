/** Proves opening: by name, by options, the order of errors, and what the node is called; beside the reference. */

import { execFileSync } from 'node:child_process'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { blkverify, blkverifyDriver } from '../src/index.ts'
import { flat, newGraph, reference, temporaryFolder, withoutReference } from './support.ts'

test('the driver has the reference names', () => {
  expect(blkverifyDriver).toMatchObject({ formatName: 'blkverify', protocolName: 'blkverify', kind: 'filter' })
})

test('both copies are needed, the raw one first', async () => {
  const one = memory(new MemoryStore(512))
  const message = (options: Parameters<typeof blkverify>[0]) =>
    newGraph()
      .open(blkverify(options))
      .catch((error: unknown) => (error as Error).message)
  expect(await message({})).toBe('A block device must be specified for "raw"')
  expect(await message({ raw: one })).toBe('A block device must be specified for "test"')
  expect(await message({ raw: one, xRaw: 'x', xImage: 'y' })).toBe(
    "Can't specify 'file' and 'filename' options at the same time",
  )
})

test('copies without plain names give a json: name', async () => {
  const [raw, image] = [memory(new MemoryStore(512)), memory(new MemoryStore(512))]
  const disk = await newGraph().open(blkverify({ raw, test: image }))
  expect(disk.root.filename).toBe(
    'json:{"test": {"driver": "memory"}, "driver": "blkverify", "raw": {"driver": "memory"}}',
  )
})

describe.skipIf(withoutReference)('beside the reference (skipped without qemu-io)', () => {
  /** Two raw copies of a megabyte and an empty qcow2 image; `r` and `t` differ at 70000, `r` and `q` do too. */
  function images(): string {
    const folder = temporaryFolder()
    for (const name of ['r', 't']) {
      writeFileSync(join(folder, name), '')
      truncateSync(join(folder, name), 0x10_0000)
    }
    writeFileSync(join(folder, 't'), new Uint8Array(0x10_0000))
    const content = new Uint8Array(0x10_0000)
    content[70_000] = 1
    writeFileSync(join(folder, 'r'), content)
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', 'q', '1M'], { cwd: folder })
    return folder
  }

  /** Runs `work` with our tools looking at the folder, as the reference's process does. */
  async function inside<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const before = process.cwd()
    process.chdir(folder)
    try {
      return await work()
    } finally {
      process.chdir(before)
    }
  }

  const described =
    'driver=blkverify,raw.driver=file,raw.filename=r,test.driver=raw,test.file.driver=file,test.file.filename=t'

  test.each([
    'blkverify:r',
    'blkverify:',
    'blkverify::q',
    'blkverify:r:',
    'blkverify:nope:q',
    'blkverify:r:nope',
    'driver=blkverify',
    'driver=blkverify,raw.driver=file,raw.filename=r',
    'driver=blkverify,x-image=q',
    'driver=blkverify,x-raw=r,raw.driver=file,raw.filename=r,x-image=q',
    'driver=blkverify,x-raw=r,x-image=q,test.driver=file,test.filename=t',
    'driver=blkverify,x-raw=r,x-image=q,foo=1',
  ])('%s is refused in the same words', async (image) => {
    const folder = images()
    const isOptions = image.startsWith('driver=')
    const args = isOptions ? ['--image-opts'] : ['-f', 'raw']
    const printed = reference(folder, 'qemu-io', ...args, '-c', 'length', image)
    const ours = await inside(folder, () =>
      (isOptions ? newGraph().open(flat(image)) : newGraph().open(image, { format: 'raw' })).catch(
        (error: unknown) => (error as Error).message,
      ),
    )
    expect(`qemu-io: can't open${isOptions ? '' : ` device ${image}`}: ${String(ours)}\n`).toBe(printed)
  })

  test.each([
    'driver=blkverify,x-raw=t,x-image=q',
    'driver=blkverify,raw.filename=t,test.file.filename=q',
    described,
    'driver=blkverify,raw.driver=raw,raw.offset=512,raw.file.driver=file,raw.file.filename=r,test.driver=qcow2,test.file.driver=file,test.file.filename=q',
    'driver=raw,file.driver=blkverify,file.x-raw=t,file.x-image=q',
  ])('%s has the same name', async (image) => {
    const folder = images()
    const info = reference(folder, 'qemu-img', 'info', '--output=json', '--image-opts', image)
    const disk = await inside(folder, () => newGraph().open(flat(image), { readOnly: true }))
    expect(disk.root.filename).toBe((JSON.parse(info) as { filename: string }).filename)
  })

  test('the line about a difference is the same', async () => {
    const folder = images()
    const printed = reference(folder, 'qemu-io', '--image-opts', '-c', 'read 66k 4k', described)
    const lines: string[] = []
    const disk = await inside(folder, () => newGraph(lines).open(flat(described)))
    await expect(disk.read(67_584, new Uint8Array(4096))).rejects.toMatchObject({ code: 'EIO' })
    expect(`${lines.join('\n')}\n`).toBe(printed)
  })

  // Each process ends at its first difference; ours goes on.
  test.each([
    ['read', 'test', 'read 0 512'],
    ['write', 'test', 'write 0 512'],
    ['read', 'raw', 'read 0 512'],
    ['write', 'raw', 'write 0 512'],
  ])('so is that about a %s error of the %s copy', async (iotype, failing, command) => {
    const folder = images()
    const other = failing === 'test' ? 'raw' : 'test'
    const below = [
      `${failing}.driver=blkdebug,${failing}.image.driver=file,${failing}.image.filename=t`,
      `${failing}.inject-error.0.event=none,${failing}.inject-error.0.iotype=${iotype}`,
    ].join(',')
    const image = `driver=blkverify,${other}.driver=file,${other}.filename=r,${below}`
    const printed = reference(folder, 'qemu-io', '--image-opts', '-c', command, image)
    const lines: string[] = []
    const disk = await inside(folder, () => newGraph(lines).open(flat(image)))
    const data = new Uint8Array(512).fill(0xcd)
    const request = iotype === 'read' ? disk.read(0, data) : disk.write(0, data)
    await expect(request).rejects.toMatchObject({ code: 'EIO' })
    expect(`${lines.join('\n')}\n`).toBe(printed)
  })

  test('an image whose backing file has a relative name cannot be opened on it', async () => {
    const folder = images()
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', 'r', '-F', 'raw', 'o'], { cwd: folder })
    execFileSync('cp', ['o', 'p'], { cwd: folder })
    const image =
      'driver=qcow2,file.driver=blkverify,file.raw.driver=file,file.raw.filename=o,file.test.driver=file,file.test.filename=p'
    const printed = reference(folder, 'qemu-io', '--image-opts', '-r', '-c', 'length', image)
    const ours = await inside(folder, () =>
      newGraph()
        .open(flat(image), { readOnly: true })
        .catch((error: unknown) => (error as Error).message),
    )
    expect(ours).toBe('Cannot generate a base directory for blkverify nodes')
    expect(`qemu-io: can't open: ${String(ours)}\n`).toBe(printed)
  })
})
