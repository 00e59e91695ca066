// Proves the layout of image records against text recorded from the reference.

import type { ImageInfo } from '@blocklayer/qemu-img'
import { expect, test } from 'vitest'
import { humanInfo, infoMembers } from '../../src/print/info.ts'

const overlay: ImageInfo = {
  filename: 'sub/top',
  format: 'qcow2',
  virtualSize: 1048576,
  actualSize: 200704,
  encrypted: false,
  clusterSize: 65536,
  dirty: false,
  backingFilename: './base',
  backingFormat: 'qcow2',
  fullBackingFilename: 'sub/./base',
  snapshots: [],
  specific: {
    type: 'qcow2',
    data: {
      compat: '1.1',
      'compression-type': 'zlib',
      'lazy-refcounts': false,
      bitmaps: [{ flags: ['auto'], name: 'b0', granularity: 65536 }],
      'refcount-bits': 16,
      corrupt: false,
      'extended-l2': false,
    },
  },
}

const raw: ImageInfo = {
  ...overlay,
  filename: 'r',
  format: 'raw',
  clusterSize: undefined,
  backingFilename: undefined,
  backingFormat: undefined,
  fullBackingFilename: undefined,
  specific: undefined,
}

test('an overlay, for people', () => {
  expect(humanInfo(overlay)).toBe(`image: sub/top
file format: qcow2
virtual size: 1 MiB (1048576 bytes)
disk size: 196 KiB
cluster_size: 65536
backing file: ./base (actual path: sub/./base)
backing file format: qcow2
Format specific information:
    compat: 1.1
    compression type: zlib
    lazy refcounts: false
    bitmaps:
        [0]:
            flags:
                [0]: auto
            name: b0
            granularity: 65536
    refcount bits: 16
    corrupt: false
    extended l2: false
`)
})

test('what a record may lack, and what it may say besides', () => {
  expect(humanInfo(raw)).toBe('image: r\nfile format: raw\nvirtual size: 1 MiB (1048576 bytes)\ndisk size: 196 KiB\n')
  const odd = { ...raw, actualSize: undefined, encrypted: true, dirty: true, backingFilename: 'b' }
  expect(humanInfo(odd)).toBe(
    'image: r\nfile format: raw\nvirtual size: 1 MiB (1048576 bytes)\ndisk size: unavailable\nencrypted: yes\n' +
      'cleanly shut down: no\nbacking file: b (cannot determine actual path)\n',
  )
})

test('members for programs: what is not known is left out', () => {
  expect(infoMembers(raw)).toEqual({
    filename: 'r',
    format: 'raw',
    'dirty-flag': false,
    'actual-size': 200704,
    'virtual-size': 1048576,
  })
  expect(infoMembers(overlay)).toMatchObject({ 'full-backing-filename': 'sub/./base', 'backing-filename': './base' })
})
