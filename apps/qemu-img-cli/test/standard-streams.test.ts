/** Proves how standard input and output are told apart: pipes, files at their begin, and files that are in use already. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runStream } from './commands/convert/stream-runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'blocklayer-standard-'))
const size = 2 ** 21

beforeAll(() => {
  const disk = new Uint8Array(size)
  for (let at = 0; at < 2 ** 17; at++) disk[at] = (at * 7) % 251
  writeFileSync(join(folder, 'disk.raw'), disk)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (line: string) => runStream(line, folder)
const fine = { code: 0, out: '', err: '' }

test('zeroes become holes in a new file, and bytes behind what a file held already', () => {
  expect(run('cat disk.raw | OURS convert -f raw - - > out && cmp out disk.raw')).toEqual(fine)
  expect(Number(run('stat -c %b out').out) * 512).toBeLessThan(size / 4)
  expect(run('cat disk.raw | OURS convert -S 0 -f raw - - > out && cmp out disk.raw')).toEqual(fine)
  expect(Number(run('stat -c %b out').out) * 512).toBeGreaterThanOrEqual(size)
  expect(run('echo begin > out; OURS convert -f raw disk.raw - >> out; tail -c +7 out | cmp - disk.raw')).toEqual(fine)
  expect(run('tr "\\0" x < disk.raw > out; OURS convert disk.raw - 1<> out; cmp out disk.raw')).toEqual(fine)
})

test('a file that has been read from is a stream from there on', () => {
  const rest = '{ dd bs=512 count=1 status=none of=/dev/null; OURS convert -f raw - -; } < disk.raw > out'
  expect(run(`${rest}; tail -c +513 disk.raw | cmp - out`)).toEqual(fine)
})

test('a pipe without anybody at its end, and one that gives nothing', () => {
  expect(run('cat disk.raw | { OURS convert -f raw - -; echo $? >&2; } | head -c 1 > /dev/null').err).toBe(
    'qemu-img: error while writing to standard output: Broken pipe\n1\n',
  )
  expect(run('OURS convert -f raw - - < /dev/null | wc -c')).toEqual({ code: 0, out: '0\n', err: '' })
})
