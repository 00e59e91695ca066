/**
 * Proves that `convert - -` of a disk of 1 TiB stays below 64 MiB of memory, counted above what a Node takes that does
 * nothing. Each way has enough data to show what is not given back: 96 MiB, in pieces over the whole disk.
 */

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasReference, needsReference, oursPath, shell } from '../../support/tools.ts'
import { runStream } from './stream-runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'blocklayer-stream-memory-'))
const limit = 64 * 2 ** 20
const pieces = 12
const kinds = { plain: '', zlib: '-c', zstd: '-c -o compression_type=zstd' } as const

/** Tells the most memory that was resident at once when the process ends, in KiB, in a file. */
const tellPeak = `
  const { readFileSync, writeFileSync } = require('node:fs')
  process.on('exit', () => {
    writeFileSync('peak', /^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1])
  })
`

beforeAll(() => {
  if (!hasReference) return
  writeFileSync(join(folder, 'tell-peak.cjs'), tellPeak)
  const write = 'dd if=piece of=disk.raw bs=1M conv=notrunc status=none'
  const places = Array.from({ length: pieces }, (_, i) => `${write} seek=${i * 2 ** 16}`)
  writeFileSync(join(folder, 'piece'), halfNoise(2 ** 23))
  shell(['truncate -s 1T disk.raw', ...places].join('; '), { cwd: folder })
  for (const [kind, args] of Object.entries(kinds)) {
    shell(`qemu-img convert -O qcow2 ${args} disk.raw ${kind}.qcow2`, { cwd: folder })
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Every cluster can be compressed, to half of it. */
function halfNoise(bytes: number): Uint8Array {
  const noise = randomBytes(bytes)
  for (let at = 0; at < bytes; at += 2 ** 16) noise.fill(0, at, at + 2 ** 15)
  return noise
}

/** Bytes of memory that a line takes at most, where `NODE` tells its own. */
function peakOf(line: string): number {
  const node = `${process.execPath} -r ./tell-peak.cjs`
  const told = runStream(`${line.replace('NODE', node)}; cat peak`, folder)
  expect(told.err).toBe('')
  return Number(told.out) * 1024
}

// The notes of a process about itself are Linux's.
describe.skipIf(!hasReference || process.platform !== 'linux')(needsReference('memory of streams on Linux'), () => {
  test.each([
    ['plain', '-O qcow2', '| cat > /dev/null'],
    ['plain', '-O qcow2 -c', '> out'],
    ['zlib', '-O raw', '> out'],
    ['zlib', '-O qcow2 -c', '> out'],
    ['zstd', '-O qcow2 -c -o compression_type=zstd', '> out'],
  ])('%s, %s %s', (kind, args, target) => {
    const peak = peakOf(`cat ${kind}.qcow2 | NODE ${oursPath} convert -f qcow2 ${args} - - ${target}`)
    const bare = peakOf('NODE -e 0 | cat')
    expect(bare).toBeGreaterThan(0)
    expect(peak - bare).toBeLessThan(limit)
  })
})
