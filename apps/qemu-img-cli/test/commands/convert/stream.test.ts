/**
 * Proves `convert - -` as a process between pipes and files: every combination reads the same and checks clean with the
 * reference, and what a stream cannot have is refused with nothing written.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasReference, needsReference, oursHere, oursPath, shell } from '../../support/tools.ts'
import { runStream } from './stream-runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'blocklayer-stream-'))
const identical = 'Images are identical.\n'
const size = 5 * 2 ** 20 + 512

beforeAll(() => {
  if (!hasReference) return
  shell(
    'head -c 700000 /dev/urandom > noise; (cat noise; seq 100000; head -c 2000000 /dev/zero; cat noise) > disk.raw; ' +
      `truncate -s ${size} disk.raw; ` +
      'qemu-img convert -O qcow2 disk.raw disk.qcow2; qemu-img convert -c -O qcow2 disk.raw packed.qcow2; ' +
      'qemu-img create -q -f qcow2 -b packed.qcow2 -F qcow2 over.qcow2; qemu-io -c "write -P 5 1M 200k" over.qcow2 > /dev/null',
    { cwd: folder },
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (line: string) => runStream(line, folder)

describe.skipIf(!hasReference)(needsReference('streams'), () => {
  const sources = ['disk.raw', 'disk.qcow2', 'packed.qcow2']
  const targets = ['-O raw', '-O qcow2', '-O qcow2 -c', '-O qcow2 -c -o compression_type=zstd,cluster_size=32k']
  const pairs = sources.flatMap((source) => targets.map((target) => [source, target] as const))
  // Each pair goes one way, so that every way sees every source and every target.
  test.each(pairs.map(([source, target], i) => [source, target, (i + Math.floor(i / 4)) % 4] as const))(
    '%s, %s, way %i',
    (source, target, way) => {
      const isUnsized = way === 0 && source === 'disk.raw' && target !== '-O raw'
      const sized = isUnsized ? `${target} -o size=${size}` : target
      const line = [
        `cat ${source} | OURS convert ${sized} - - | cat > out`,
        `cat ${source} | OURS convert ${sized} - - > out`,
        `OURS convert ${sized} - - < ${source} | cat > out`,
        `OURS convert ${sized} ${source} - > out`,
      ][way]
      expect(run(line ?? '')).toEqual({ code: 0, out: '', err: '' })
      const format = target.startsWith('-O raw') ? 'raw' : 'qcow2'
      if (format === 'qcow2') shell('qemu-img check -q -f qcow2 out', { cwd: folder })
      expect(shell(`qemu-img compare -f ${format} -F raw out disk.raw`, { cwd: folder })).toBe(identical)
    },
  )

  test('what comes out of a pipe goes in again', () => {
    const twice = 'cat disk.qcow2 | OURS convert -O qcow2 - - | OURS convert -O raw - - | cmp - disk.raw'
    expect(run(twice)).toEqual({ code: 0, out: '', err: '' })
  })

  test('a backing file is found from the working directory, and read', () => {
    expect(run('cat over.qcow2 | OURS convert -O raw - - > out')).toEqual({ code: 0, out: '', err: '' })
    expect(shell('qemu-img compare -F raw over.qcow2 out', { cwd: folder })).toBe(identical)
  })
})

describe.skipIf(!hasReference)(needsReference('what cannot be streamed'), () => {
  test.each([
    ['-C - -', "Option '-C' cannot be used with a stream"],
    ['-p - -', "Option '-p' cannot be used with a stream"],
    ['-n - -', "Option '-n' cannot be used with a stream"],
    ['--bitmaps - -', "Option '--bitmaps' cannot be used with a stream"],
    ['-B base -F raw - -', "Option '-B' cannot be used with a stream"],
    ['-l snapshot - -', "Option '-l' cannot be used with a stream"],
    ['-r 1M - -', "Option '-r' cannot be used with a stream"],
    ['-S 0 -O qcow2 - -', "Option '-S 0' cannot be used with a stream"],
    ['-o preallocation=full - -', "Option '-o preallocation' cannot be used with a raw stream"],
    ['--untrusted - -', "Option '--untrusted' cannot be used with a stream"],
    ['--output json - -', "Option '--output json' cannot be used with a stream"],
    ['--progress json - -', "Option '--progress json' cannot be used with a stream"],
    ['-c - -', 'Compression not supported for this file format'],
    ['-O null-co - -', "Format 'null-co' cannot be written as a stream"],
    ['- other -', 'A stream cannot be one of several sources'],
    ['- out.raw', "Standard input can only be converted to standard output: use '- - > out.raw'"],
  ])('%s', async (args, message) => {
    const outcome = await oursHere(['convert', ...args.split(' ')], { cwd: folder })
    expect(outcome).toEqual({ status: 1, stdout: '', stderr: `qemu-img: ${message}\n` })
    expect(existsSync(join(folder, 'out.raw'))).toBe(false)
  })

  test.each([
    ['-f qcow2 - -', "Could not open '-': Image is not in qcow2 format"],
    ['-f nothing - -', "Could not open '-': Unknown driver 'nothing'"],
    ['-O qcow2 -o preallocation=full - -', "A qcow2 stream cannot have the option 'preallocation'"],
  ])('%s', (args, message) => {
    expect(run(`seq 1000 | OURS convert ${args} | cat`)).toEqual({ code: 1, out: '', err: `qemu-img: ${message}\n` })
  })

  // Before the first byte of data is missing, all that is there has been written.
  test('a stream that ends early', () => {
    const cut = run('head -c 1000000 disk.qcow2 | OURS convert - -  > out')
    expect(cut.code).toBe(1)
    expect(cut.err).toMatch(
      /^qemu-img: error while reading at byte \d+: the stream ends at byte 1000000, and byte \d+ is needed\n$/,
    )
  })

  test('the tool is built', () => expect(existsSync(oursPath)).toBe(true))
})
