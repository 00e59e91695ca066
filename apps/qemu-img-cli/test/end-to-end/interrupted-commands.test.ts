// Proves that each command ends in good order when a signal comes at one request to its image or another: the exit status is
// 130, one line says what has become of the image, that is true, and the reference finds the image as good as it was.

import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasReference, needsReference, ours, oursHere, oursPath, reference, shell } from '../support/tools.ts'

const driver = join(import.meta.dirname, '../support/interrupter.ts')

let root: string
let cwd: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'blocklayer-interrupted-'))
  const start = join(root, 'start')
  mkdirSync(start)
  if (!hasReference) return
  shell(
    `head -c 1M /dev/zero | tr '\\0' Z > data
     qemu-img convert -O qcow2 data image
     qemu-img snapshot -c first image
     qemu-io -c 'write -P 1 256k 256k' image
     cp image snapped
     qemu-img bitmap --add image b0
     qemu-img create -q -f qcow2 -b data -F raw thin
     qemu-io -c 'write -P 2 0 256k' thin
     qemu-img convert -O qcow2 data leaky
     printf '\\0\\0\\0\\0\\0\\0\\0\\0' | dd of=leaky bs=1 seek=262144 conv=notrunc status=none`,
    { cwd: start },
  )
})
afterAll(() => rmSync(root, { recursive: true }))
beforeEach(() => {
  cwd = join(root, 'work')
  rmSync(cwd, { recursive: true, force: true })
  cpSync(join(root, 'start'), cwd, { recursive: true })
})

type How = 'kill' | 'emit'

/** `name` as a qcow2 image whose `nth` request to the file interrupts the process. */
function interrupting(name: string, nth: number, how: How): string {
  return `driver=qcow2,file.driver=interrupter,file.nth=${nth},file.how=${how},file.file.driver=file,file.file.filename=${name}`
}

interface Expectation {
  readonly image: string
  readonly line: string
  /** What may have become of it. */
  readonly outcomes: RegExp
  /** Whether that is so. */
  readonly holds?: (outcome: string) => void
  /** The image had something wrong before. */
  readonly leaky?: boolean
}

const sizeOf = (name: string): number =>
  JSON.parse(reference(['info', '--output=json', name], { cwd }).stdout)['virtual-size']
const listed = (name: string): string => reference(['snapshot', '-l', name], { cwd }).stdout
const bitmaps = (name: string): unknown[] =>
  JSON.parse(reference(['info', '--output=json', name], { cwd }).stdout)['format-specific'].data.bitmaps
const unchanged = (name: string) => () =>
  expect(readFileSync(join(cwd, name)).equals(readFileSync(join(root, 'start', name)))).toBe(true)
const nothing = /^nothing was changed$/

const commands: readonly Expectation[] = [
  {
    image: 'image',
    line: 'resize IMAGE 2M',
    outcomes: /^'.*' has its (old|new) size$/,
    holds: (outcome) => expect(sizeOf('image')).toBe(outcome.includes('old') ? 2 ** 20 : 2 ** 21),
  },
  {
    image: 'image',
    line: 'resize --preallocation=full IMAGE 2M',
    outcomes: /^'.*' has its (old|new) size$/,
    holds: (outcome) => expect(sizeOf('image')).toBe(outcome.includes('old') ? 2 ** 20 : 2 ** 21),
  },
  {
    image: 'thin',
    line: 'resize --shrink IMAGE 128k',
    outcomes: /^'.*' has its (old|new) size$/,
    holds: (outcome) => expect(sizeOf('thin')).toBe(outcome.includes('old') ? 2 ** 20 : 2 ** 17),
  },
  {
    image: 'image',
    line: 'snapshot -c second IMAGE',
    outcomes: /^(nothing was changed|snapshot 'second' was made)$/,
    holds: (outcome) => expect(listed('image').includes('second')).toBe(outcome.includes('made')),
  },
  {
    image: 'snapped',
    line: 'snapshot -a first IMAGE',
    outcomes: /^(nothing was changed|snapshot 'first' was applied)$/,
  },
  {
    image: 'image',
    line: 'snapshot -d first IMAGE',
    outcomes: /^(nothing was changed|snapshot 'first' was deleted)$/,
    holds: (outcome) => expect(listed('image').includes('first')).toBe(!outcome.includes('deleted')),
  },
  { image: 'image', line: 'snapshot -l IMAGE', outcomes: nothing, holds: unchanged('image') },
  {
    image: 'image',
    line: 'bitmap --add --disable IMAGE b1',
    outcomes: /^'.*' is whole, with (0|2) of 2 changes$/,
    // None is in use: that would mean that it is lost.
    holds: (outcome) => {
      const b0 = { flags: ['auto'], name: 'b0', granularity: 65536 }
      const b1 = { flags: [], name: 'b1', granularity: 65536 }
      expect(bitmaps('image')).toHaveLength(outcome.includes('2 of') ? 2 : 1)
      expect(bitmaps('image')).toEqual(expect.arrayContaining(outcome.includes('2 of') ? [b0, b1] : [b0]))
    },
  },
  { image: 'image', line: 'check IMAGE', outcomes: nothing, holds: unchanged('image') },
  {
    image: 'leaky',
    line: 'check -r all IMAGE',
    outcomes: /^'.*' is mended (in part at most|as far as it can be)$/,
    leaky: true,
  },
  {
    image: 'image',
    line: 'amend -o refcount_bits=64 IMAGE',
    outcomes: /^'.*' is whole, with (none or some|all) of the/,
  },
  {
    image: 'thin',
    line: 'rebase -b CWD/image -F qcow2 IMAGE',
    outcomes: /^'.*' reads as before, and (keeps its|has its new) backing file$/,
    holds: (outcome) => {
      const { stdout } = reference(['info', 'thin'], { cwd })
      expect(stdout).toContain(`backing file: ${outcome.includes('keeps') ? 'data' : join(cwd, 'image')}\n`)
      shell(`cp ${join(root, 'start', 'thin')} before; qemu-img compare before thin`, { cwd })
    },
  },
  {
    image: 'thin',
    line: 'commit IMAGE',
    outcomes: /^'.*' (still holds all that it held|was committed)$/,
    holds: () =>
      void shell(
        `cp ${join(root, 'start', 'data')} old; cp ${join(root, 'start', 'thin')} before; qemu-img rebase -u -b old -F raw before; qemu-img compare before thin`,
        { cwd },
      ),
  },
  {
    image: 'image',
    line: 'compare IMAGE driver=qcow2,file.filename=image',
    outcomes: nothing,
    holds: unchanged('image'),
  },
  { image: 'image', line: 'map --output=json IMAGE', outcomes: nothing, holds: unchanged('image') },
  { image: 'image', line: 'map --output=svg IMAGE', outcomes: nothing, holds: unchanged('image') },
  { image: 'image', line: 'info IMAGE', outcomes: nothing, holds: unchanged('image') },
  { image: 'image', line: 'measure -O qcow2 IMAGE', outcomes: nothing, holds: unchanged('image') },
  { image: 'image', line: 'bench -c 100 IMAGE', outcomes: nothing, holds: unchanged('image') },
  {
    image: 'image',
    line: 'bench -w -c 20 -d 2 IMAGE',
    outcomes: /^'.*' is whole, with (none or some|all) of the writes$/,
  },
  {
    image: 'image',
    line: 'convert -O qcow2 IMAGE copy',
    outcomes: /^('copy' was not made|'copy' was removed|'copy' is complete)$/,
    holds: (outcome) => expect(existsSync(join(cwd, 'copy'))).toBe(outcome.includes('complete')),
  },
  {
    image: 'image',
    line: 'dd -O qcow2 bs=64k if=IMAGE of=copy',
    outcomes: /^('copy' was not made|'copy' was removed|'copy' is complete)$/,
    holds: (outcome) => expect(existsSync(join(cwd, 'copy'))).toBe(outcome.includes('complete')),
  },
]

function lineOf({ image, line }: Expectation, nth: number, how: How): string[] {
  const [command = '', ...rest] = line
    .replace('IMAGE', interrupting(image, nth, how))
    .replace('CWD', cwd)
    .split(' ')
  return [command, '--driver', driver, '--image-opts', ...rest]
}

/** What the line on standard error says, once it is known to be so. */
function judge({ image, outcomes, holds, leaky = false }: Expectation, stderr: string): void {
  const said = /^qemu-img: Interrupted by SIGINT: (.*)\n$/m.exec(stderr)
  expect(stderr).toContain('Interrupted by SIGINT: ')
  expect(said?.[1]).toMatch(outcomes)
  holds?.(said?.[1] ?? '')
  const check = reference(['check', image], { cwd })
  expect({
    stderr,
    check: check.stdout + check.stderr,
    status: leaky && check.status === 3 ? 0 : check.status,
  }).toMatchObject({ status: 0 })
}

describe.skipIf(!hasReference)(needsReference('a command that is interrupted'), () => {
  test.each(commands)('$line: at one request after the other', async (expectation) => {
    let nth = 1
    for (; nth < 500; nth += Math.ceil(nth * 0.8)) {
      rmSync(cwd, { recursive: true })
      cpSync(join(root, 'start'), cwd, { recursive: true })
      const { stderr, status } = await oursHere(lineOf(expectation, nth, 'emit'), { cwd })
      // It had ended before.
      if (status === 0 && !stderr.includes('Interrupted')) break
      expect([nth, status, stderr.includes('Interrupted') ? '' : stderr]).toEqual([nth, 130, ''])
      judge(expectation, stderr)
    }
    expect(nth).toBeGreaterThan(2)
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual([0, 0])
  })

  const writing = commands.filter(({ outcomes }) => outcomes !== nothing)
  const [reading] = commands.filter(({ outcomes }) => outcomes === nothing)
  test.each([...writing, reading!])('$line: as a process', (expectation) => {
    const { stderr, status } = ours(lineOf(expectation, 4, 'kill'), { cwd })
    expect([status, stderr.includes('Interrupted') ? '' : stderr]).toEqual([130, ''])
    judge(expectation, stderr)
  })
})

// A new file has its full length at once, and zeroes are written into it for seconds: that is where the signal comes.
test.each([
  ['create', '-f', 'raw', '-o', 'preallocation=full', 'new', '4G'],
  ['create', '-f', 'qcow2', '-o', 'preallocation=full', 'new', '4G'],
])('%s %s %s %s %s, in the middle of preallocation', async (...args) => {
  const child: ChildProcess = spawn(process.execPath, [oursPath, ...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr?.on('data', (bytes: Uint8Array) => (text += String(bytes)))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  while (child.exitCode === null && (statSync(join(cwd, 'new'), { throwIfNoEntry: false })?.size ?? 0) < 2 ** 31) {
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  child.kill('SIGTERM')
  expect([await ended, text]).toEqual([143, "qemu-img: Interrupted by SIGTERM: 'new' was not made\n"])
  expect(existsSync(join(cwd, 'new'))).toBe(false)
})

test('resize in the middle of preallocation: the image has its old length', async () => {
  writeFileSync(join(cwd, 'grows'), 'x'.repeat(512))
  const args = ['resize', '-f', 'raw', '--preallocation=full', 'grows', '4G']
  const child: ChildProcess = spawn(process.execPath, [oursPath, ...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr?.on('data', (bytes: Uint8Array) => (text += String(bytes)))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  while (child.exitCode === null && statSync(join(cwd, 'grows')).size < 2 ** 31) {
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  child.kill('SIGINT')
  expect([await ended, text]).toEqual([130, "qemu-img: Interrupted by SIGINT: 'grows' has its old size\n"])
  expect(readFileSync(join(cwd, 'grows'), 'utf8')).toBe('x'.repeat(512))
})
