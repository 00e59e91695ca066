// Name, format, size and backing file are what a test asked for; the driver's own options are not.
import { expect, test } from 'vitest'
import { filterImgCreate } from '../../src/filters/img-create.ts'

test('driver options go, the rest stays', () => {
  const line =
    "Formatting 't', fmt=qcow2 cluster_size=65536 extended_l2=off compression_type=zlib size=1048576 backing_file=b backing_fmt=raw lazy_refcounts=off refcount_bits=16\n"
  expect(filterImgCreate(line)).toBe("Formatting 't', fmt=qcow2 size=1048576 backing_file=b backing_fmt=raw\n")
})

test('other lines stay', () => {
  expect(filterImgCreate('qemu-img: t: bad cluster_size=3\n')).toBe('qemu-img: t: bad cluster_size=3\n')
})
