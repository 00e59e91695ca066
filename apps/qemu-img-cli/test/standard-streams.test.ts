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

test.each([
  ['raw', '> out'],
  ['raw', '>> out'],
  ['raw', '| cat > out'],
])('what is written next lies behind, to %s %s', (format, to) => {
  const both = `(OURS convert -f raw -O ${format} disk.raw -; echo between; OURS convert -f raw -O ${format} - - < disk.raw; echo end)`
  expect(run(`rm -f out; ${both} ${to}`)).toEqual(fine)
  expect(run('(cat disk.raw; echo between; cat disk.raw; echo end) | cmp - out')).toEqual(fine)
})

test('an image behind other bytes of a new file', () => {
  expect(run('(echo begin; OURS convert -f raw -O qcow2 disk.raw -; echo end) > out')).toEqual(fine)
  expect(run('tail -c +7 out | OURS convert -O raw - - | cmp - disk.raw')).toEqual(fine)
  expect(run('tail -c 4 out')).toEqual({ ...fine, out: 'end\n' })
})

// More than a pipe holds follows the image.
test('what follows an image in a pipe is taken, so that nobody finds the pipe broken', () => {
  expect(run('OURS convert -f raw -O qcow2 disk.raw image')).toEqual(fine)
  expect(run('(cat image; head -c 1000000 /dev/zero) | OURS convert -O raw - - | cmp - disk.raw')).toEqual(fine)
})

test('standard input that cannot be read', () => {
  const text = 'error while reading from standard input: Is a directory'
  expect(run('OURS convert -f raw -O qcow2 - - < . | wc -c')).toEqual({
    code: 1,
    out: '0\n',
    err: `qemu-img: ${text}\n`,
  })
  const named = `Could not open '-': ${text}`
  expect(run('OURS convert - - < .')).toEqual({ code: 1, out: '', err: `qemu-img: ${named}\n` })
  const { code, err } = run('OURS --errors json convert - - < .')
  expect([code, JSON.parse(err)]).toEqual([
    1,
    { event: 'error', code: 'read-failed', errno: 'EISDIR', message: named, hint: null, exitCode: 1 },
  ])
})

test('a file is read by its own name, so that what it names is found in its folder', () => {
  run('mkdir sub; cp disk.raw sub/base.raw; OURS create -q -f qcow2 -F raw -b base.raw sub/over.qcow2')
  expect(run('OURS convert -O raw - - < sub/over.qcow2 | cmp - disk.raw')).toEqual(fine)
  expect(run('cd sub; cat over.qcow2 | OURS convert -O raw - - | cmp - ../disk.raw')).toEqual(fine)
  const lost = run('cat sub/over.qcow2 | OURS convert -O raw - -')
  expect([lost.code, lost.out]).toEqual([1, ''])
  expect(lost.err).toContain("Could not open './base.raw': No such file or directory")
})

test('a file that has been removed is still read', () => {
  expect(run('cp disk.raw gone; (rm gone; OURS convert -f raw - - | cmp - disk.raw) < gone')).toEqual(fine)
  expect(
    run('cp disk.raw gone; (mv disk.raw gone; OURS convert -f raw - - | cmp - gone; mv gone disk.raw) < gone'),
  ).toEqual(fine)
})

test('a pipe without anybody at its end, and one that gives nothing', () => {
  expect(run('cat disk.raw | { OURS convert -f raw - -; echo $? >&2; } | head -c 1 > /dev/null').err).toBe(
    'qemu-img: error while writing to standard output: Broken pipe\n1\n',
  )
  expect(run('OURS convert -f raw - - < /dev/null | wc -c')).toEqual({ code: 0, out: '0\n', err: '' })
})
