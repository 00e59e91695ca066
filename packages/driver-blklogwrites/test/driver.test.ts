/** Proves opening and appending, and that the log is the reference's byte for byte after the same requests. */

import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryStore, memory, random, seeds } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { type BlklogwritesOptions, blklogwrites, blklogwritesDriver } from '../src/index.ts'
import {
  type LogOptions,
  newGraph,
  openLogged,
  reference,
  story,
  temporaryFolder,
  withoutReference,
} from './support.ts'

test('the driver has the reference name', () => {
  expect(blklogwritesDriver).toMatchObject({ formatName: 'blklogwrites', kind: 'filter' })
  expect(blklogwritesDriver.protocolName).toBeUndefined()
})

const message = (options: BlklogwritesOptions) =>
  newGraph()
    .open(blklogwrites(options))
    .then(() => 'opened')
    .catch((error: unknown) => (error as Error).message)

test('which error wins', async () => {
  const [file, log] = [memory(new MemoryStore(4096)), memory(new MemoryStore())]
  const all = { logAppend: true, logSectorSize: 3, logSuperUpdateInterval: 0 }
  expect(await message(all)).toBe('A block device must be specified for "file"')
  expect(await message({ ...all, file })).toBe('A block device must be specified for "log"')
  expect(await message({ ...all, file, log })).toBe('log-append and log-sector-size are mutually exclusive')
  expect(await message({ ...all, file, log, logAppend: false })).toBe('Invalid log sector size 3')
  const interval = 'Invalid log superblock update interval 0'
  expect(await message({ file, log, logAppend: true, logSuperUpdateInterval: 0 })).toBe(interval)
  expect(await message({ file, log, logSuperUpdateInterval: 2n ** 64n - 1n })).toBe('opened')
})

describe('appending', () => {
  test('goes on behind the last entry, in the sector size of the log', async () => {
    const [file, log] = [new MemoryStore(16384), new MemoryStore()]
    const first = await openLogged(file, log, { logSectorSize: 4096 })
    await first.writeZeroes(0, 8192)
    await first.discard(0, 4096)
    await first.close()
    const second = await openLogged(file, log, { logAppend: true })
    await second.write(4096, new Uint8Array(10))
    await second.close()
    const entries = ['write 0+8192', 'discard 0+4096', 'flush', 'write 4096+4096', 'flush']
    expect(await story(log.bytes())).toEqual(entries)
  })

  test('to nothing begins a log', async () => {
    const log = new MemoryStore()
    const disk = await openLogged(new MemoryStore(512), log, { logAppend: true })
    await disk.write(0, new Uint8Array(512))
    await disk.close()
    expect(await story(log.bytes())).toEqual(['write 0+512', 'flush'])
  })

  test('to a log that is cut is refused', async () => {
    const log = new MemoryStore()
    const disk = await openLogged(new MemoryStore(512), log)
    await disk.write(0, new Uint8Array(512))
    await disk.close()
    log.resize(1024)
    await expect(openLogged(new MemoryStore(512), log, { logAppend: true })).rejects.toMatchObject({
      message: 'Failed to read log entry 0: Input/output error',
    })
  })
})

type Request =
  | { readonly kind: 'write' | 'zeroes' | 'discard'; readonly offset: number; readonly bytes: number }
  | { readonly kind: 'flush' }

const mebibyte = 0x10_0000

/** Requests with edges everywhere; discards whole log sectors, for with others the reference aborts. */
function requests(seed: number, sectorSize: number): Request[] {
  const choose = random(seed)
  return Array.from({ length: 60 }, (): Request => {
    const offset = choose.below(mebibyte / 2)
    const bytes = 1 + choose.below(20_000)
    const whole = (n: number) => Math.floor(n / sectorSize) * sectorSize
    switch (choose.below(6)) {
      case 0:
        return { kind: 'flush' }
      case 1:
        return { kind: 'zeroes', offset, bytes }
      case 2:
        return { kind: 'discard', offset: whole(offset), bytes: whole(bytes) + sectorSize }
      default:
        return { kind: 'write', offset, bytes }
    }
  })
}

function asCommands(series: readonly Request[]): string[] {
  return series.flatMap((request, i) => {
    if (request.kind === 'flush') return ['-c', 'flush']
    const range = `${request.offset} ${request.bytes}`
    if (request.kind === 'write') return ['-c', `write -P ${i + 1} ${range}`]
    return ['-c', request.kind === 'zeroes' ? `write -z ${range}` : `discard ${range}`]
  })
}

async function runOurs(folder: string, series: readonly Request[], options: LogOptions): Promise<void> {
  const part = (name: string) => newFile(join(folder, name))
  const disk = await newGraph().open(blklogwrites({ ...options, file: part('disk'), log: part('log') }), {
    unmap: true,
  })
  for (const [i, request] of series.entries()) {
    if (request.kind === 'flush') await disk.flush()
    else if (request.kind === 'zeroes') await disk.writeZeroes(request.offset, request.bytes)
    else if (request.kind === 'discard') await disk.discard(request.offset, request.bytes)
    else await disk.write(request.offset, new Uint8Array(request.bytes).fill(i + 1))
  }
  await disk.close()
}

function newFile(filename: string) {
  return {
    kind: 'parsed-child',
    options: new Map([
      ['driver', 'file'],
      ['filename', filename],
    ]),
    reference: undefined,
  } as const
}

function newFolder(): string {
  const folder = temporaryFolder()
  for (const name of ['disk', 'log']) writeFileSync(join(folder, name), '')
  truncateSync(join(folder, 'disk'), mebibyte)
  return folder
}

const described = 'driver=blklogwrites,file.driver=file,file.filename=disk,log.driver=file,log.filename=log'

describe.skipIf(withoutReference)('beside the reference (skipped without qemu-io)', () => {
  const settings = [
    { options: {}, text: '' },
    { options: { logSectorSize: 32 }, text: ',log-sector-size=32' },
    {
      options: { logSectorSize: 4096, logSuperUpdateInterval: 3 },
      text: ',log-sector-size=4096,log-super-update-interval=3',
    },
  ] as const

  test.each(settings.flatMap((setting) => seeds(1, 2).map((seed) => ({ ...setting, seed }))))(
    'the same log and the same disk$text (seed $seed)',
    async ({ options, text, seed }) => {
      const sectorSize = 'logSectorSize' in options ? options.logSectorSize : 512
      const [theirs, ours] = [newFolder(), newFolder()]
      // Twice, the second time behind the first log.
      for (const [run, append] of [false, true].entries()) {
        const series = requests(seed * 10 + run, sectorSize)
        const appended = {
          logAppend: true,
          ...('logSuperUpdateInterval' in options ? { logSuperUpdateInterval: 3 } : {}),
        }
        const appendedText = `,log-append=on${'logSuperUpdateInterval' in options ? ',log-super-update-interval=3' : ''}`
        const image = `${described},discard=unmap${append ? appendedText : text}`
        reference(theirs, 'qemu-io', '-t', 'writeback', '--image-opts', ...asCommands(series), image)
        await runOurs(ours, series, append ? appended : options)
        for (const name of ['disk', 'log']) {
          const [a, b] = [theirs, ours].map((folder) => readFileSync(join(folder, name)))
          expect(Buffer.compare(a!, b!), `${name}, run ${run}`).toBe(0)
        }
      }
    },
  )

  test.each(['', ',log-sector-size=4096,log-append=off,log-super-update-interval=7', ',log-append=on'])(
    'the same name%s',
    async (text) => {
      const folder = newFolder()
      const image = (described + text).replaceAll('filename=', `filename=${folder}/`)
      const info = JSON.parse(reference(folder, 'qemu-img', 'info', '--output=json', '--image-opts', image)) as object
      const disk = await newGraph().open(flat(image), { readOnly: true })
      expect(info).toMatchObject({ filename: disk.root.filename, 'virtual-size': disk.length })
    },
  )

  test.each([
    'log-sector-size=0',
    'log-sector-size=3',
    'log-sector-size=16777216',
    'log-sector-size=4294967296',
    'log-sector-size=8388608',
    'log-sector-size=abc',
    'log-super-update-interval=0',
    'log-super-update-interval=1k',
    'log-append=on,log-sector-size=512',
    'log-append=maybe',
    'foo=1',
  ])('%s is refused in the same words', async (text) => {
    const folder = newFolder()
    const image = `${described},${text}`.replaceAll('filename=', `filename=${folder}/`)
    const printed = reference(folder, 'qemu-io', '--image-opts', '-c', 'length', image)
    const ours = await newGraph()
      .open(flat(image))
      .then(() => 'opened')
      .catch((error: unknown) => (error as Error).message)
    // Under an error about a size the reference prints what a size may look like.
    expect(printed.split('\n')[0]).toBe(`qemu-io: can't open: ${ours}`)
  })

  const magic = [0x72, 0x68, 0x77, 0x73, 0x66, 0x73, 0x6a, 0]
  test.each([
    ['magic', []],
    ['version', [...magic, 2]],
    ['sector size', [...magic, 1, ...zeroes(15), 0, 3]],
    ['flags', [...magic, 1, ...zeroes(7), 1, ...zeroes(7), 0, 2, ...zeroes(486), ...zeroes(16), 0x10]],
  ])('a log with a bad %s is refused in the same words', async (_, bytes) => {
    const folder = newFolder()
    writeFileSync(join(folder, 'log'), Uint8Array.from([...bytes, ...zeroes(2048 - bytes.length)]))
    const image = `${described},log-append=on`.replaceAll('filename=', `filename=${folder}/`)
    const printed = reference(folder, 'qemu-io', '--image-opts', '-c', 'length', image)
    const ours = await newGraph()
      .open(flat(image))
      .then(() => 'opened')
      .catch((error: unknown) => (error as Error).message)
    expect(`qemu-io: can't open: ${ours}\n`).toBe(printed)
  })
})

function zeroes(count: number): number[] {
  return new Array<number>(count).fill(0)
}

function flat(text: string): Map<string, string> {
  return new Map(text.split(',').map((pair) => pair.split('=') as [string, string]))
}
