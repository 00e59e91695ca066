/** What bitmaps take is counted: directory, tables and data. */

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { viewOf } from '../../../src/format/bytes.ts'
import { checked, Damaged, problems } from '../../helpers/damage.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { openOn } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../../helpers/reference.ts'

describeWithReference('an image with bitmaps', () => {
  const folder = new TemporaryFolder()
  afterAll(() => folder[Symbol.dispose]())
  let content: Uint8Array

  /** Offset of the directory in the file. */
  let directory: number

  beforeAll(() => {
    const path = folder.file('x.qcow2')
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=1k', path, '1M')
    qemuImg('bitmap', '--add', '-g', '512', path, 'b0')
    qemuImg('bitmap', '--add', path, 'b1')
    qemuIo(path, 'write 0 100k')
    content = new Uint8Array(readFileSync(path))
    // Header, 112 bytes; the bitmaps extension comes first in clusters this small.
    directory = Number(viewOf(content).getBigUint64(112 + 8 + 16))
  })

  test('is clean', async () => {
    const { lines, result } = await checked(new Damaged(content.slice()))
    expect(lines).toEqual([])
    expect(problems(result)).toEqual({})
  })

  test('data of a bitmap is missed when it is not counted', async () => {
    const image = new Damaged(content.slice())
    const table = Number(image.get(directory))
    const data = Number(image.get(table) & 0xfffffffffffe00n) / 1024
    image.set(table, 0n)
    expect((await checked(image)).lines).toEqual([`Leaked cluster ${data} refcount=1 reference=0`])
  })

  test('a broken table entry keeps the image from being opened, also for a check, as in the reference', async () => {
    const image = new Damaged(content.slice())
    image.set(Number(image.get(directory)), (old) => old | 2n)
    const opening = openOn(new MemoryChild(image.bytes), { check: true })
    await expect(opening).rejects.toThrow(
      "Could not read bitmap_table table from image for bitmap 'b0': Invalid argument",
    )
  })

  test('a directory that cannot be read ends the check', async () => {
    const { failure } = await checked(new MemoryChild(content), 'none', (file) => {
      file.fail = ({ kind, offset }) => (kind === 'read' && offset === directory ? 'EIO' : undefined)
    })
    expect(failure).toBe('EIO Input/output error')
  })
})
