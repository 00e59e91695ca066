// Proves that a conversion gives the same bytes however many requests are under way, compressed or not, and with
// --reproducible even where requests may be written in any order.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ours } from './support/tools.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-reproducible-'))
  const file = openSync(join(folder, 'disk.raw'), 'w')
  const piece = new Uint8Array(2 ** 20)
  // Data that compresses well and badly by turns, so that some requests take longer than others, with holes between.
  for (let mib = 0; mib < 24; mib++) {
    if (mib % 5 === 4) continue
    for (let i = 0; i < piece.length; i++) piece[i] = mib % 2 === 0 ? i >> 9 : Math.imul(i + mib, 0x9e3779b1) >>> 24
    writeSync(file, piece, 0, piece.length, mib * piece.length)
  }
  closeSync(file)
})
afterAll(() => rmSync(folder, { recursive: true }))

function converted(...options: readonly string[]): Uint8Array {
  const args = ['convert', '-f', 'raw', '-O', 'qcow2', ...options, 'disk.raw', 'target.qcow2']
  expect(ours(args, { cwd: folder })).toEqual({ stdout: '', stderr: '', status: 0 })
  return readFileSync(join(folder, 'target.qcow2'))
}

test.each([
  ['', []],
  ['-c', ['-c']],
  ['--reproducible -W', ['--reproducible', '-W']],
  ['--reproducible -W -c', ['--reproducible', '-W', '-c']],
])('the same bytes five times, -m 1 to 16: %s', (_name, options) => {
  const [first, ...others] = ['1', '2', '3', '8', '16'].map((workers) => converted('-m', workers, ...options))
  for (const other of others) expect(Buffer.compare(other, first!)).toBe(0)
})
