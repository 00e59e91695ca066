// Proves that bad input is refused in the reference's words, with its errno, and leaves the graph as it was: unknown
// options, wrong types, names and children given twice, circles, and requests that no disk can serve.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BlockBackend,
  BlockError,
  type BlockGraph,
  createBlockGraph,
  type Errno,
  graphDescription,
} from '@blocklayer/block-core'
import { fileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isInstalled, run } from '../scripts/lib/workspace.ts'
import { StorageDaemon } from './descriptions/daemon.ts'

const hasReference = isInstalled('qemu-img') && isInstalled('qemu-storage-daemon')
if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

const MiB = 1024 ** 2
let folder: string
let graph: BlockGraph
let disk: BlockBackend

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-bad-input-'))
  graph = createBlockGraph({ drivers: [fileDriver, rawDriver, qcow2Driver], implicitOpen: 'deny' })
  await graph.create('qcow2', join(folder, 'q'), { size: MiB })
  await graph.create('qcow2', join(folder, 'other'), { size: MiB })
  disk = await graph.open(description({ driver: 'qcow2', 'node-name': 'disk' }), { readOnly: false })
})
afterEach(async () => {
  await graph.close()
  rmSync(folder, { recursive: true })
})

/** The image `name` as `more` says. */
function description(more: object, name = 'q'): string {
  return `json:${JSON.stringify({ file: { driver: 'file', filename: join(folder, name) }, ...more })}`
}

/** What was refused, and that nothing else happened. */
async function refusal(attempt: () => Promise<unknown>): Promise<{ code: Errno; message: string }> {
  const before = graphDescription(graph)
  const error = await attempt().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(graphDescription(graph)).toEqual(before)
  if (!(error instanceof BlockError)) throw new Error(`not refused as it should be: ${error}`)
  return { code: error.code, message: error.message }
}

/** The reference's words about an image that it cannot open. */
function referenceSays(image: string): string {
  const { stderr } = run('qemu-io', ['-c', 'quit', image])
  return stderr.slice(stderr.indexOf(`${image}: `) + image.length + 2).trimEnd()
}

const number = 'expects a non-negative number below 2^64'
const descriptions: readonly (readonly [what: string, more: object, code: Errno, message: string])[] = [
  [
    'unknown option',
    { driver: 'qcow2', bogus: 1 },
    'EINVAL',
    "Block format 'qcow2' does not support the option 'bogus'",
  ],
  ['word for a size', { driver: 'qcow2', 'l2-cache-size': 'many' }, 'EINVAL', `Parameter 'l2-cache-size' ${number}`],
  ['truth for a size', { driver: 'raw', size: true }, 'EINVAL', `Parameter 'size' ${number}`],
  ['negative size', { driver: 'raw', size: -512 }, 'EINVAL', `Parameter 'size' ${number}`],
  [
    'word for a truth',
    { driver: 'qcow2', 'lazy-refcounts': 'maybe' },
    'EINVAL',
    "Parameter 'lazy-refcounts' expects 'on' or 'off'",
  ],
  ['unaligned size', { driver: 'raw', offset: 3, size: 513 }, 'EINVAL', 'Specified size is not multiple of 512'],
  [
    'offset of 2^53',
    { driver: 'raw', offset: 2 ** 53 },
    'EINVAL',
    'Offset (9007199254740992) cannot be greater than size of the containing file (197120)',
  ],
  ['driver that is not in the list', { driver: 'nope' }, 'EINVAL', "Unknown driver 'nope'"],
  [
    'two children under one name',
    { driver: 'raw', file: 'disk', 'file.filename': 'q' },
    'EINVAL',
    'Cannot reference an existing block device with additional options or a new filename',
  ],
  [
    'node that is its own child',
    { driver: 'raw', 'node-name': 'n', file: 'n' },
    'EINVAL',
    "Cannot find device='n' nor node-name='n'",
  ],
  ['name that is none', { driver: 'qcow2', 'node-name': '#n' }, 'EINVAL', "Invalid node-name: '#n'"],
]

describe('descriptions that cannot be opened', () => {
  test.each(descriptions)('%s', async (_, more, code, message) => {
    const image = description(more, 'other')
    const refused = await refusal(() => graph.open(image))
    expect(refused.message.split('\n')[0]).toBe(message)
    expect(refused.code).toBe(code)
    if (hasReference) expect(referenceSays(image).split('\n')[0]).toBe(message)
  })

  test('node name that is taken', async () => {
    const twice = { driver: 'qcow2', 'node-name': 'disk' }
    const message = "Duplicate nodes with node-name='disk'"
    expect(await refusal(() => graph.open(description(twice, 'other')))).toEqual({ code: 'EINVAL', message })
    const inside = { ...twice, file: { driver: 'file', filename: join(folder, 'other'), 'node-name': 'disk' } }
    const image = `json:${JSON.stringify(inside)}`
    expect(await refusal(() => graph.open(image))).toEqual({ code: 'EINVAL', message })
    if (hasReference) expect(referenceSays(image)).toBe(message)
  })
})

test('circle', async () => {
  const above = await graph.addNode(
    new Map<string, string | null>([
      ['driver', 'qcow2'],
      ['node-name', 'above'],
      ['file.driver', 'file'],
      ['file.filename', join(folder, 'other')],
      ['backing', 'disk'],
    ]),
  )
  const message = "Making 'above' a backing child of 'disk' would create a cycle"
  const refused = await refusal(() => graph.setBacking(disk.root, above))
  if (!hasReference) return
  const file = (name: string) => ({ driver: 'file', filename: join(folder, name) })
  const low = { driver: 'qcow2', 'node-name': 'disk', file: file('q') }
  await graph.close()
  await using daemon = await StorageDaemon.start(folder, [
    low,
    { driver: 'qcow2', 'node-name': 'above', file: file('other'), backing: 'disk' },
  ])
  const asked = daemon.ask('blockdev-reopen', { options: [{ ...low, backing: 'above' }] })
  const theirs = await asked.then(String, (error: Error) => error.message)
  expect([refused.code, refused.message, theirs]).toEqual(['EINVAL', message, message])
})

/** A request, and how `qemu-io` is told to make it where it can be. */
const requests: readonly (readonly [string, (disk: BlockBackend) => Promise<unknown>, Errno, string | undefined])[] = [
  ['read at the end', (at) => at.read(MiB, new Uint8Array(512)), 'EIO', 'read 1M 512'],
  ['read across the end', (at) => at.read(MiB - 512, new Uint8Array(1024)), 'EIO', 'read 1048064 1024'],
  ['write at the end', (at) => at.write(MiB, new Uint8Array(512)), 'EIO', 'write 1M 512'],
  ['discard past the end', (at) => at.discard(MiB, 512), 'EIO', 'discard 1M 512'],
  ['zeroes past the end', (at) => at.writeZeroes(2 * MiB, 512), 'EIO', 'write -z 2M 512'],
  ['negative offset', (at) => at.read(-512, new Uint8Array(512)), 'EIO', undefined],
  ['negative length', (at) => at.writeZeroes(0, -512), 'EIO', undefined],
  ['half a byte', (at) => at.read(0.5, new Uint8Array(512)), 'EIO', undefined],
  ['read at 2^53', (at) => at.read(2 ** 53, new Uint8Array(512)), 'EIO', 'read 9007199254740992 512'],
  ['zeroes up to 2^53', (at) => at.writeZeroes(0, 2 ** 53), 'EIO', undefined],
  ['unaligned size', (at) => at.truncate(513), 'EINVAL', 'truncate 513'],
]

describe('requests that no disk can serve', () => {
  test.each(requests)('%s', async (_, request, code, command) => {
    const refused = await refusal(() => request(disk))
    expect(refused.code).toBe(code)
    const whole = new Uint8Array(MiB).fill(1)
    await disk.read(0, whole)
    expect([disk.length, whole.every((byte) => byte === 0)]).toEqual([MiB, true])
    if (!hasReference || command === undefined) return
    await graph.close()
    const { stdout, stderr } = run('qemu-io', ['-f', 'qcow2', '-c', command, join(folder, 'q')])
    expect(`${stdout}${stderr}`).toContain(refused.message)
  })

  test('unaligned reads and writes are served, byte for byte', async () => {
    await disk.write(3, new Uint8Array([7, 8, 9]))
    const back = new Uint8Array(5)
    await disk.read(2, back)
    expect([...back]).toEqual([0, 7, 8, 9, 0])
  })
})
