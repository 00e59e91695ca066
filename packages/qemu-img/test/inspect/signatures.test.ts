/** Proves that every format that somebody may guess is seen, and that a raw disk with anything on it is a raw disk. */

import { expect, test } from 'vitest'
import { looksLike, signatureHeadBytes } from '../../src/inspect/signatures.ts'

function looks(parts: readonly (readonly [number, string])[], tail = '') {
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))
  const head = new Uint8Array(signatureHeadBytes)
  for (const [at, text] of parts) head.set(bytes(text), at)
  const end = new Uint8Array(512)
  end.set(bytes(tail))
  return looksLike(head, end)
}

test.each([
  ['qcow2', 0, 'QFI\xfb\0\0\0\x03'],
  ['qcow', 0, 'QFI\xfb\0\0\0\x01'],
  ['qed', 0, 'QED\0'],
  ['vmdk', 0, 'KDMV'],
  ['vmdk', 0, 'COWD'],
  ['vmdk', 0, '# Disk DescriptorFile'],
  ['vmdk', 0, 'version=1\nRW 2 FLAT "/etc/passwd" 0\n'],
  ['vmdk', 0, '#x\r\n \n\n# y\n  version=3\n'],
  ['vhdx', 0, 'vhdxfile'],
  ['vpc', 0, 'conectix'],
  ['vdi', 64, '\x7f\x10\xda\xbe'],
  ['luks', 0, 'LUKS\xba\xbe'],
  ['parallels', 0, 'WithoutFreeSpace'],
  ['parallels', 0, 'WithouFreSpacExt'],
  ['bochs', 0, 'Bochs Virtual HD Image'],
  ['cloop', 0, '#!/bin/sh\n#V2.0 Format'],
])('%s', (format, at, text) => expect(looks([[at, text]])).toEqual({ images: [format], contents: [] }))

test.each(['#x', '# x\nversion', '\n\n', 'x\nversion=1', '\0version=1'])('%j describes nothing', (text) => {
  expect(looks([[0, text]]).images).toEqual([])
})

test('footers count where the head says nothing', () => {
  expect(looks([], 'conectix').images).toEqual(['vpc'])
  expect(looks([], 'koly').images).toEqual(['dmg'])
  expect(looks([[0, 'QED\0']], 'koly').images).toEqual(['qed'])
})

test('two at once, and what is on a disk', () => {
  expect(
    looks([
      [0, 'KDMV'],
      [64, '\x7f\x10\xda\xbe'],
    ]).images,
  ).toEqual(['vmdk', 'vdi'])
  expect(
    looks([
      [0x8001, 'CD001'],
      [512, 'EFI PART'],
    ]),
  ).toEqual({ images: [], contents: ['iso', 'gpt'] })
  expect(looks([[0x8001, 'BEA01']]).contents).toEqual(['iso'])
  expect(looks([[4096, 'EFI PART']]).contents).toEqual(['gpt'])
})

test('files shorter than a signature', () => {
  expect(looksLike(new Uint8Array(2), new Uint8Array(2))).toEqual({ images: [], contents: [] })
})
