// The requests that reach a driver are the reference's, request by request: padding, splitting, zeroing, end of file.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { LayerLimits } from '../../src/driver.ts'
import { BlockError } from '../../src/errors.ts'
import { filled } from '../../src/testing/patterns.ts'
import { type Random, random } from '../../src/testing/seed.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'
import { describeWithReference } from '../options/reference.ts'

const length = 256 * 1024

interface Request {
  readonly kind: 'read' | 'write' | 'zero'
  readonly offset: number
  readonly bytes: number
}

/** A limit of ours, and its option of the reference's blkdebug driver, which is the oracle of limits. */
const optionNames: readonly (readonly [keyof LayerLimits, string])[] = [
  ['requestAlignment', 'align'],
  ['maxTransfer', 'max-transfer'],
  ['zeroAlignment', 'opt-write-zero'],
  ['maxZeroes', 'max-write-zero'],
]

const folder = mkdtempSync(join(tmpdir(), 'blocklayer-requests-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What `qemu-io` sends to the file below a blkdebug node with these limits. */
function reference(limits: LayerLimits, requests: readonly Request[]): string[] {
  const file = join(folder, 'disk.raw')
  writeFileSync(file, filled(1, length))
  const options = optionNames.flatMap(([name, option]) => (limits[name] ? [`${option}=${limits[name]}`] : []))
  const image = ['driver=blkdebug', ...options, 'image.driver=file', `image.filename=${file}`].join(',')
  const commands = requests.flatMap(({ kind, offset, bytes }) => [
    '-c',
    `${kind === 'read' ? 'read' : kind === 'zero' ? 'write -z' : 'write'} ${offset} ${bytes}`,
  ])
  const args = ['-T', 'bdrv_co_*', '-t', 'writeback', ...commands, '--image-opts', image]
  const { stderr, stdout, error } = spawnSync('qemu-io', args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  const log: string[] = []
  let top: string | undefined
  for (const line of `${stderr}\n${stdout}`.split('\n')) {
    const match = /^bdrv_co_(\w+) bs (0x\w+) offset (\d+) bytes (\d+) flags 0x(\w+)/.exec(line)
    if (match === null) continue
    const [, call, node, offset, bytes, flags] = match
    top ??= node
    // Zero writes come as two lines, the second one with the flag for zeroes.
    const isEcho = call === 'pwritev_part' && (Number.parseInt(flags!, 16) & 2) !== 0
    if (node === top || isEcho) continue
    log.push(`${call === 'preadv_part' ? 'read' : call === 'pwritev_part' ? 'write' : 'zero'} ${offset}+${bytes}`)
  }
  return log
}

/** What our driver with these limits gets; like blkdebug, it refuses zero writes of less than its unit. */
async function ours(limits: LayerLimits, requests: readonly Request[]): Promise<string[]> {
  const recorder = new Recorder(filled(1, length))
  recorder.limits = limits
  const unit = Math.max(limits.requestAlignment || 1, limits.zeroAlignment || 1)
  const refused: string[] = []
  recorder.before = async (request) => {
    const [kind, range] = request.split(' ')
    if (kind !== 'zero' || Number(range!.split('+')[1]) >= unit) return
    refused.push(request)
    throw BlockError.fromErrno('ENOTSUP')
  }
  await using opened = await openRecorder(recorder, {}, {})
  for (const { kind, offset, bytes } of requests) {
    if (kind === 'read') await opened.disk.read(offset, new Uint8Array(bytes))
    else if (kind === 'write') await opened.disk.write(offset, filled(2, bytes))
    else await opened.disk.writeZeroes(offset, bytes)
  }
  return recorder.take().filter((request) => !refused.includes(request))
}

function randomRequests(choose: Random, count: number): Request[] {
  return Array.from({ length: count }, () => {
    const unit = choose.pick([1, 512, 4096])
    const offset = choose.below(length / unit) * unit
    const bytes = Math.min(length - offset, (1 + choose.below(Math.floor(65536 / unit))) * unit)
    return { kind: choose.pick(['read', 'write', 'zero'] as const), offset, bytes }
  })
}

describeWithReference('requests as in qemu-io', () => {
  test.each<LayerLimits>([
    {},
    { requestAlignment: 512 },
    { requestAlignment: 4096 },
    { requestAlignment: 4096, maxTransfer: 8192 },
    { requestAlignment: 512, maxTransfer: 1536 },
    { requestAlignment: 512, zeroAlignment: 4096, maxZeroes: 8192 },
    { requestAlignment: 4096, zeroAlignment: 16384 },
    { requestAlignment: 512, zeroAlignment: 8192, maxZeroes: 16384, maxTransfer: 2048 },
  ])('%o, seed 51', async (limits) => {
    const requests = randomRequests(random(51), 60)
    expect(await ours(limits, requests)).toEqual(reference(limits, requests))
  })

  test('the example of the specification', async () => {
    const limits = { requestAlignment: 512, zeroAlignment: 4096, maxZeroes: 8192 }
    const requests: Request[] = [{ kind: 'zero', offset: 512, bytes: 20480 }]
    const log = ['write 512+3584', 'zero 4096+8192', 'zero 12288+8192', 'write 20480+512']
    expect([await ours(limits, requests), reference(limits, requests)]).toEqual([log, log])
  })
})
