// The format's name becomes IMGFMT where it is a word; a longer name that contains it is another format.
import { expect, test } from 'vitest'
import { imageFormatFilter } from '../../src/filters/image-format.ts'

test('the name is replaced in file names, options and prose', () => {
  const filter = imageFormatFilter('qcow2')
  expect(filter("Formatting 't.qcow2.base', fmt=qcow2 backing_fmt=qcow2")).toBe(
    "Formatting 't.IMGFMT.base', fmt=IMGFMT backing_fmt=IMGFMT",
  )
})

test('qcow leaves qcow2 alone', () => {
  expect(imageFormatFilter('qcow')('qcow qcow2 my-qcow qcow_x')).toBe('IMGFMT qcow2 my-qcow qcow_x')
})
