// Proves what the scripts build on: figures that are right, a seed that brings the same run back, and images that hold
// exactly the differences that were asked for.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { median } from '../../scripts/bench/measure.ts'
import { writeDifferences } from '../../scripts/lib/images.ts'
import { randomBytes, seededRandom } from '../../scripts/lib/random.ts'
import { isInstalled, mustSucceed, run, withFolder } from '../../scripts/lib/workspace.ts'

const KiB = 1024

test('the median of odd and even counts', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test('a seed brings the same numbers back', () => {
  const [a, b, c] = [seededRandom(7), seededRandom(7), seededRandom(8)].map((random) => randomBytes(random, 64))
  expect(a).toEqual(b)
  expect(a).not.toEqual(c)
})

test('a folder is gone afterwards, however its use ends', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'blocklayer-scripts-'))
  try {
    await expect(withFolder('x', () => Promise.reject(new Error('no')), parent)).rejects.toThrow('no')
    expect(readdirSync(parent)).toEqual([])
  } finally {
    rmSync(parent, { recursive: true })
  }
})

test('a program that is missing is 127, and a failure shows what was said', () => {
  expect(isInstalled('blocklayer-no-such-program')).toBe(false)
  expect(run('sh', ['-c', 'exit 3']).code).toBe(3)
  expect(() => mustSucceed('it', run('sh', ['-c', 'echo why >&2; exit 3']))).toThrow('it: exit code 3\nwhy')
})

describe('differences', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'blocklayer-scripts-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('only what differs is written, zeroes as zeroes', async () => {
    const before = Buffer.alloc(256 * KiB, 1)
    const after = Buffer.from(before)
    after[64 * KiB + 5] = 2
    after.fill(0, 192 * KiB)
    for (const [name, data] of Object.entries({ before, after })) writeFileSync(join(folder, name), data)
    const calls: string[] = []
    const image = {
      length: 256 * KiB,
      write: async (offset: number, data: Uint8Array) => void calls.push(`write ${offset} ${data[5]}`),
      writeZeroes: async (offset: number, bytes: number) => void calls.push(`zero ${offset} ${bytes}`),
      flush: async () => void calls.push('flush'),
    }
    const written = await writeDifferences(image, join(folder, 'before'), join(folder, 'after'))
    expect(written).toBe(128 * KiB)
    expect(calls).toEqual([`write ${64 * KiB} 2`, `zero ${192 * KiB} ${64 * KiB}`, 'flush'])
  })
})
