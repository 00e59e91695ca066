// Proves what --untrusted promises: a verdict for people and for programs with a status of its own, no file opened that
// the image names (the kernel says so), no more memory than allowed whatever the image claims, and commands that go on
// only with what is acceptable.

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UntrustedMode } from '../../src/args/untrusted.ts'
import { hasReference, needsReference, type Outcome, ours, oursHere, oursPath, shell } from '../support/tools.ts'

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-untrusted-'))
  writeFileSync(join(cwd, 'secret'), 'the password is swordfish'.padEnd(65536))
  writeFileSync(join(cwd, 'raw'), 'a raw disk'.padEnd(65536))
  for (const args of [
    'create -q -f qcow2 good 1M',
    'create -q -f qcow2 -u -b secret -F raw evil 1M',
    'create -q -f qcow2 -o data_file=grave data 1M',
    'create -q -f qcow2 big 32T -o cluster_size=2M',
    'convert -O qcow2 -c raw packed',
  ]) {
    expect(await run(args)).toMatchObject({ stderr: '', status: 0 })
  }
})
afterAll(() => rmSync(cwd, { recursive: true }))

const run = (args: string): Promise<Outcome> => oursHere(args.split(' '), { cwd })

describe('the verdict', () => {
  test('for people', async () => {
    expect(await run('info --untrusted good')).toEqual({
      stdout:
        'image: good\nverdict: acceptable\nfile format: qcow2\nvirtual size: 1 MiB (1048576 bytes)\n' +
        'file size: 192 KiB (197120 bytes)\n',
      stderr: '',
      status: 0,
    })
    const { stdout, status } = await run('info --untrusted evil')
    expect(stdout).toContain('verdict: refused\n')
    expect(stdout).toContain("reasons:\n    backing-file: names a backing file: 'secret'\n")
    expect(status).toBe(65)
  })

  test('for programs', async () => {
    const { stdout, status } = await run('info --untrusted --output=json data')
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'refused',
      filename: 'data',
      format: 'qcow2',
      'virtual-size': 1048576,
      reasons: [{ code: 'data-file', message: "names a data file: 'grave'" }],
    })
    expect(status).toBe(65)
  })

  test('with limits of one’s own', async () => {
    expect((await run('info --untrusted big')).stdout).toContain(
      'virtual-size: virtual size 35184372088832 is more than',
    )
    expect((await run('info --untrusted --max-virtual-size=64T big')).status).toBe(0)
    expect((await run('info --untrusted --max-memory 1M good')).stdout).toContain('    memory: opening it takes up to ')
    expect((await run('info --untrusted --max-expansion 0 packed')).stdout).toContain('    expansion: compressed data')
    expect((await run('info --untrusted --max-snapshots 0 --timeout 5 good')).status).toBe(0)
  })

  test('a name is a file name and nothing else', async () => {
    const { stderr, status } = await run('info --untrusted json:{"driver":"null-co"}')
    expect([stderr.slice(0, 30), status]).toEqual(["qemu-img: Could not open 'json", 1])
    expect((await run('info --untrusted file:good')).status).toBe(1)
  })

  test.each([
    [
      'info --untrusted --image-opts driver=qcow2,file.filename=good',
      '--untrusted and --image-opts are mutually exclusive',
    ],
    ['check --untrusted -r all good', '--untrusted and --repair are mutually exclusive'],
    ['info --timeout 5 good', '--timeout can only be used with --untrusted'],
    ['info --untrusted --timeout soon good', "--timeout must be a number, not 'soon'"],
    ['commit --untrusted good', "unrecognized option '--untrusted'"],
    ['info --untruste good', "unrecognized option '--untruste'"],
  ])('%s', async (args, message) => {
    const { stdout, stderr, status } = await run(args)
    expect([stdout, stderr.split('\n')[0], status]).toEqual(['', `qemu-img: ${message}`, 1])
  })
})

describe('commands', () => {
  test.each(['check', 'map', 'measure', 'compare raw', 'convert -O raw'])(
    '%s refuses, and does nothing',
    async (command) => {
      const tail = command.startsWith('convert') ? ' out' : ''
      const { stdout, stderr, status } = await run(`${command} --untrusted evil${tail}`)
      expect([stdout, stderr, status]).toEqual(['', "qemu-img: Refused 'evil': names a backing file: 'secret'\n", 65])
    },
  )

  test('they go on with what is acceptable', async () => {
    expect((await run('check --untrusted good')).stdout).toMatch(/^No errors were found on the image\.\n/)
    expect((await run('map --untrusted --output=json good')).stdout).toContain('"length": 1048576')
    expect((await run('measure --untrusted raw')).stdout).toContain('required size: 65536')
    expect((await run('compare --untrusted raw raw')).stdout).toBe('Images are identical.\n')
    // The user's own backing file for the target is no stranger's.
    expect(await run('create -q -f qcow2 base 1M')).toMatchObject({ status: 0 })
    expect(await run('convert --untrusted -B base -F qcow2 -O qcow2 good copy')).toMatchObject({
      stderr: '',
      status: 0,
    })
    expect((await run('info copy')).stdout).toContain('backing file: base')
  })

  test('time is bounded to the end, not for judging alone', async () => {
    writeFileSync(join(cwd, 'full'), new Uint8Array(8 * 2 ** 20).fill(1))
    // At that rate it would take an hour.
    const { stderr, status } = await run('convert --untrusted --timeout 0.3 -r 2k -O raw full slow')
    expect([stderr, status]).toEqual(["qemu-img: Refused: it takes more than 0.3 seconds: 'slow' was removed\n", 65])
    expect(existsSync(join(cwd, 'slow'))).toBe(false)
    const json = await run('convert --untrusted --timeout 0.3 -r 2k --errors json -O raw full slow')
    expect(JSON.parse(json.stderr)).toMatchObject({ event: 'error', code: 'refused', exitCode: 65 })
  })

  // What a disk may take to read is added to the default, or no large disk could be converted.
  test('the default grows with the disk, a limit of the user does not', () => {
    const mode = new UntrustedMode()
    expect(mode.seconds).toBeUndefined()
    mode.take('untrusted', '', () => {})
    expect(mode.seconds).toBe(60)
    mode.grantReading(2n * 2n ** 30n)
    expect(mode.seconds).toBe(180)
    mode.take('timeout', '5', () => {})
    mode.grantReading(2n ** 30n)
    expect(mode.seconds).toBe(5)
  })

  test('a raw disk that begins like an image is never opened as one', async () => {
    const { stderr, status } = await run('convert --untrusted -f raw -O raw evil out')
    expect([stderr, status]).toEqual(["qemu-img: Refused 'evil': is said to be raw, but looks like qcow2\n", 65])
  })
})

const hasStrace = spawnSync('strace', ['-V']).status === 0
const reason = hasStrace ? '' : ' (skipped: strace is not installed)'

describe.skipIf(!hasStrace)(`what the kernel is asked for${reason}`, () => {
  test.each(['info', 'map', 'check', 'measure', 'convert -O raw'])(
    '%s opens the image and nothing it names',
    (command) => {
      for (const image of ['evil', 'data']) {
        const log = join(cwd, 'log')
        const out = command.startsWith('convert') ? ['out'] : []
        const args = [...command.split(' '), '--untrusted', image, ...out]
        spawnSync('strace', ['-f', '-e', 'trace=%file', '-o', log, process.execPath, oursPath, ...args], { cwd })
        const calls = readFileSync(log, 'utf8')
        expect(calls).toContain(`"${image}"`)
        expect(calls).not.toMatch(/"(.*\/)?(secret|grave)"/)
      }
    },
  )
})

/** Images that claim more than anybody could hold; tables lie in the file, which is sparse and huge. */
const hostile: Readonly<Record<string, (patch: Patch) => void>> = {
  'the largest L1 table': ({ u32, u64, grow }) => {
    u32(36, 4194304)
    u64(40, 2n ** 30n)
    grow(2 ** 40)
  },
  'the largest refcount table': ({ u32, grow }) => {
    u32(56, 128)
    grow(2 ** 40)
  },
  '65536 snapshots': ({ u32, u64, grow }) => {
    u32(60, 65536)
    u64(64, 2n ** 30n)
    grow(2 ** 40)
  },
  'a bitmap of 2^35 bits': ({ u64 }) => u64(24, 2n ** 44n),
  'a file of 2^43 bytes in small clusters': ({ grow }) => grow(2 ** 43),
}

interface Patch {
  u32(at: number, value: number): void
  u64(at: number, value: bigint): void
  grow(bytes: number): void
}

describe.skipIf(!hasReference)(needsReference('memory'), () => {
  test.each(Object.entries(hostile))('%s takes no more than is allowed', (name, change) => {
    const path = join(cwd, 'hostile')
    const small = name.includes('small clusters') ? '-o cluster_size=512' : ''
    shell(`qemu-img create -q -f qcow2 ${small} hostile 1M; qemu-img bitmap --add -g 512 hostile b0`, { cwd })
    const file = openSync(path, 'r+')
    const write = (at: number, bytes: Uint8Array): void => void writeSync(file, bytes, 0, bytes.length, at)
    change({
      u32: (at, value) => {
        const bytes = new Uint8Array(4)
        new DataView(bytes.buffer).setUint32(0, value)
        write(at, bytes)
      },
      u64: (at, value) => {
        const bytes = new Uint8Array(8)
        new DataView(bytes.buffer).setBigUint64(0, value)
        write(at, bytes)
      },
      grow: (bytes) => truncateSync(path, bytes),
    })
    closeSync(file)
    const tell = 'process.on("exit",()=>process.stderr.write("peak "+process.resourceUsage().maxRSS))'
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(tell)}` }
    const peak = (image: string): number => {
      const { stdout, stderr } = ours(['info', '--untrusted', '--max-virtual-size=1P', image], { cwd, env })
      expect(stdout).toMatch(/verdict: (acceptable|refused)/)
      return Number(/peak (\d+)/.exec(stderr)?.[1]) * 1024
    }
    // What the process takes anyway.
    const own = 100 * 2 ** 20
    expect(peak('hostile')).toBeLessThan(own + 256 * 2 ** 20)
  })
})
