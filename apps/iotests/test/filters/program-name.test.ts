// A message looks the same whatever the implementation's program is called; words inside a line are left alone.
import { expect, test } from 'vitest'
import { programNameFilter } from '../../src/filters/program-name.ts'

test('the name before a message becomes the reference name', () => {
  const filter = programNameFilter('blocklayer-qemu-img', 'qemu-img')
  expect(filter("blocklayer-qemu-img: Could not open 'a'\nblocklayer-qemu-img is here\n")).toBe(
    "qemu-img: Could not open 'a'\nblocklayer-qemu-img is here\n",
  )
})

test('a script prints its name with or without its ending', () => {
  const filter = programNameFilter('my-io.js', 'qemu-io')
  expect(filter('my-io.js: a\nmy-io: b\n')).toBe('qemu-io: a\nqemu-io: b\n')
})
