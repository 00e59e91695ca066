// Proves that our locks and the reference's are the same: whoever holds an image, with either's program, keeps out the same
// commands of both in the same words (spec/options.md, section 7, the table), and the holder can be named.
import { spawn } from 'node:child_process'
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBlockGraph } from '@blocklayer/block-core'
import { createFileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled, ours, reference, runTool } from '../scripts/lib/workspace.ts'
import { StorageDaemon } from './descriptions/daemon.ts'

const withoutReference =
  !process.env.CI && !(isInstalled('qemu-img') && isInstalled('qemu-io') && isInstalled('qemu-storage-daemon'))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-locking-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** How an image is held open. */
interface Holding {
  readonly name: string
  readonly format: 'qcow2' | 'raw'
  readonly readOnly?: boolean
  readonly forceShare?: boolean
  readonly locking?: 'off'
}

const holdings: readonly Holding[] = [
  { name: 'qcow2 writer', format: 'qcow2' },
  { name: 'qcow2 reader', format: 'qcow2', readOnly: true },
  { name: 'raw writer', format: 'raw' },
  { name: 'raw reader', format: 'raw', readOnly: true },
  {
    name: 'qcow2 reader with force-share',
    format: 'qcow2',
    readOnly: true,
    forceShare: true,
  },
  { name: 'qcow2 writer without locks', format: 'qcow2', locking: 'off' },
]

/** Commands on `image`, which holds a qcow2 image or raw data. */
const commands: readonly (readonly string[])[] = [
  ['info', '-f', 'FORMAT', 'image'],
  ['info', '-U', '-f', 'FORMAT', 'image'],
  ['info', '-f', 'raw', 'image'],
  ['map', '-f', 'FORMAT', 'image'],
  ['check', '-f', 'qcow2', 'image'],
  ['check', '-r', 'all', '-f', 'qcow2', 'image'],
  ['create', '-q', '-f', 'qcow2', 'image', '1M'],
  ['create', '-q', '-f', 'raw', 'image', '1M'],
  ['create', '-q', '-f', 'qcow2', '-b', 'image', '-F', 'FORMAT', 'overlay'],
  ['convert', '-f', 'FORMAT', '-O', 'raw', 'image', 'copy'],
  ['convert', '-n', '-f', 'raw', '-O', 'FORMAT', 'data', 'image'],
  ['commit', '-f', 'qcow2', 'image'],
]

/** What ours says instead (docs/differences.md): it writes what the reference writes before it fails. */
const ownWay: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'raw writer': { 'create -q -f qcow2 image 1M': '0: ' },
}

/** A fresh folder with the image, and what is needed beside it. */
function prepare(name: string, format: string): string {
  const place = join(folder, name.replaceAll(' ', '-'))
  mkdirSync(place)
  writeFileSync(join(place, 'data'), new Uint8Array(0x10_0000))
  if (format === 'raw') copyFileSync(join(place, 'data'), join(place, 'image'))
  else runTool(reference, place, 'create', '-q', '-f', 'qcow2', 'image', '1M')
  linkSync(join(place, 'image'), join(place, 'held'))
  return place
}

/** What each command says while somebody holds the image. */
function say(tool: typeof ours, place: string, format: string): Record<string, string> {
  const outcomes: Record<string, string> = {}
  const content = readFileSync(join(place, 'held'))
  for (const command of commands) {
    // The file that is held, as it was: a creation may have emptied it, and the reference removes it where that fails.
    rmSync(join(place, 'image'), { force: true })
    linkSync(join(place, 'held'), join(place, 'image'))
    writeFileSync(join(place, 'image'), content)
    const args = command.map((word) => (word === 'FORMAT' ? format : word))
    const { code, stderr } = runTool(tool, place, ...args)
    outcomes[args.join(' ')] = `${code}: ${stderr}`
    rmSync(join(place, 'overlay'), { force: true })
  }
  return outcomes
}

/** Holds the image in the reference's qemu-io until the returned function is called. */
async function heldByReference(place: string, holding: Holding): Promise<() => Promise<void>> {
  const { format, readOnly = false, forceShare = false, locking = 'auto' } = holding
  const node = `driver=${format},file.driver=file,file.filename=image,file.locking=${locking}`
  const flags = [...(readOnly ? ['-r'] : []), ...(forceShare ? ['-U'] : [])]
  const child = spawn('qemu-io', [...flags, '--image-opts', node], {
    cwd: place,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  // The prompt comes once the image is open and its locks are held.
  await Promise.race([new Promise<void>((resolve) => child.stdout.once('data', () => resolve())), ended])
  return async () => {
    child.stdin.end('quit\n')
    await ended
  }
}

async function heldByUs(place: string, holding: Holding): Promise<() => Promise<void>> {
  const graph = createBlockGraph({
    drivers: [createFileDriver(), rawDriver, qcow2Driver],
    implicitOpen: 'deny',
  })
  const { format, readOnly = false, forceShare = false, locking = 'auto' } = holding
  const options = new Map([
    ['driver', format],
    ['file.driver', 'file'],
    ['file.filename', join(place, 'image')],
    ['file.locking', locking],
  ])
  const disk = await graph.open(options, { readOnly, forceShare })
  return () => disk.close()
}

describe.skipIf(withoutReference).each(holdings)('$name (skipped without the reference tools)', (holding) => {
  test('is met alike by both, whoever holds the image', async () => {
    const place = prepare(holding.name, holding.format)
    const release = await heldByReference(place, holding)
    const theirsMetThem = say(reference, place, holding.format)
    const oursMetThem = say(ours, place, holding.format)
    await release()
    const own = prepare(`${holding.name} ours`, holding.format)
    const letGo = await heldByUs(own, holding)
    const theirsMetUs = say(reference, own, holding.format)
    const oursMetUs = say(ours, own, holding.format)
    await letGo()
    const expected = { ...theirsMetThem, ...ownWay[holding.name] }
    expect(theirsMetUs).toEqual(theirsMetThem)
    expect(oursMetThem).toEqual(expected)
    expect(oursMetUs).toEqual(expected)
  })
})

/** An image that a daemon holds refuses our writer; the error says who that is, the message does not. */
test.skipIf(withoutReference)('the holder is named (skipped without the reference tools)', async () => {
  const place = prepare('named', 'qcow2')
  const file = { driver: 'file', filename: 'image' }
  await using _daemon = await StorageDaemon.start(place, [{ driver: 'qcow2', 'node-name': 'held', file }])
  const graph = createBlockGraph({
    drivers: [createFileDriver(), qcow2Driver],
    implicitOpen: 'deny',
  })
  const error = await graph.open(join(place, 'image'), { format: 'qcow2' }).then(
    () => undefined,
    (reason: unknown) => reason,
  )

  expect(error).toMatchObject({
    code: 'EAGAIN',
    message: 'Failed to get "write" lock',
    hint: `Is another process using the image [${join(place, 'image')}]?`,
    // The kernel keeps fifteen characters of a program's name.
    details: {
      holders: [
        {
          pid: expect.any(Number),
          command: 'qemu-storage-daemon'.slice(0, 15),
        },
      ],
    },
  })
})
