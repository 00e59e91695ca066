// Equal contents have equal keys, however they came about; different contents have different ones.
import { expect, test } from 'vitest'
import { ScratchDisk } from '../../../src/testing/crash/scratch-disk.ts'
import { StateKeys } from '../../../src/testing/crash/state-key.ts'
import { filled } from '../../../src/testing/patterns.ts'

const keyOf = (disk: ScratchDisk): string => new StateKeys().of([disk])

test('the key is the content, not the way to it', () => {
  const a = new ScratchDisk(new Uint8Array(2048))
  const b = new ScratchDisk(filled(5, 2048))
  a.write(512, filled(1, 512))
  b.zero(0, 2048)
  b.write(512, filled(1, 512))
  expect(keyOf(a)).toBe(keyOf(b))
  a.write(512, filled(2, 1))
  expect(keyOf(a)).not.toBe(keyOf(b))
  a.rewind()
  expect(keyOf(a)).toBe(keyOf(new ScratchDisk(new Uint8Array(2048))))
})

test('the place, the length and the disk matter', () => {
  const at = (offset: number, length: number): ScratchDisk => {
    const disk = new ScratchDisk(new Uint8Array(length))
    disk.write(offset, filled(1, 512))
    return disk
  }
  const keys = new StateKeys()
  const empty = new ScratchDisk(new Uint8Array(2048))
  const all = [
    keys.of([at(0, 2048), empty]),
    keys.of([at(512, 2048), empty]),
    keys.of([at(0, 4096), empty]),
    keys.of([empty, at(0, 2048)]),
  ]
  expect(new Set(all).size).toBe(4)
})
