// Proves that our qemu-img treats a block device as the reference does: what it finds there, what it makes there, and what
// it refuses, in the same words and with the same bytes.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { isInstalled, ours, reference, run, runTool } from '../scripts/lib/workspace.ts'

const MiB = 0x10_0000
const folder = mkdtempSync(join(tmpdir(), 'blocklayer-devices-'))
writeFileSync(join(folder, 'disk'), '')
truncateSync(join(folder, 'disk'), 4 * MiB)
writeFileSync(
  join(folder, 'data'),
  Uint8Array.from({ length: 2 * MiB }, (_, at) => (at < MiB ? at % 251 : 0)),
)

// Only the superuser may attach one, and not inside every container.
const attached = run('losetup', ['-f', '--show', join(folder, 'disk')])
const device = attached.stdout.trim()
const reason = attached.code === 0 ? '' : attached.stderr.trim()
const missing = attached.code !== 0 || (!process.env.CI && !isInstalled('qemu-img'))
afterAll(() => {
  if (attached.code === 0) run('losetup', ['-d', device])
  rmSync(folder, { recursive: true })
})

/** What a command says and leaves on a device that is full of ones. */
function outcome(tool: typeof ours, args: readonly string[]): unknown {
  const fd = openSync(device, 'r+')
  writeSync(fd, new Uint8Array(4 * MiB).fill(1))
  closeSync(fd)
  const { code, stdout, stderr } = runTool(tool, folder, ...args)
  run('sync', ['-f', join(folder, 'disk')])
  return { code, stdout, stderr, content: run('sha256sum', [device]).stdout }
}

describe.skipIf(missing)(`on a loop device (skipped without: ${reason})`, () => {
  test.each([
    ['info', device],
    ['info', '-f', 'raw', '--output=json', device],
    ['info', `host_device:${device}`],
    ['info', `file:${device}`],
    ['info', '--image-opts', `driver=host_device,filename=${device}`],
    ['info', '--image-opts', `driver=host_device,filename=${device},aio=native`],
    ['info', '--image-opts', `driver=file,filename=${device}`],
    ['info', '--image-opts', `driver=raw,file.filename=${device}`],
    ['map', '-f', 'raw', device],
    ['create', '-f', 'raw', device, '4M'],
    ['create', '-f', 'raw', device, '1M'],
    ['create', '-f', 'raw', device, '8M'],
    ['create', '-f', 'raw', '-o', 'preallocation=full', device, '4M'],
    ['create', '-f', 'raw', '-o', 'nocow=on', device, '4M'],
    ['create', '-f', 'qcow2', device, '64M'],
    ['convert', '-f', 'raw', '-O', 'raw', 'data', device],
    ['convert', '-n', '-f', 'raw', '-O', 'raw', 'data', device],
    ['convert', '-n', '-t', 'none', '-f', 'raw', '-O', 'raw', 'data', device],
    ['convert', '-f', 'raw', '-O', 'qcow2', 'data', device],
    ['convert', '-T', 'none', '-f', 'raw', '-O', 'raw', device, 'copy'],
    ['compare', '-f', 'raw', '-F', 'raw', device, 'data'],
  ])('%s %s %s %s %s', (...args) => {
    const theirs = outcome(reference, args)
    const copied = args.at(-1) === 'copy' ? readFileSync(join(folder, 'copy')) : undefined
    expect(outcome(ours, args)).toEqual(theirs)
    if (copied !== undefined) expect(Buffer.compare(readFileSync(join(folder, 'copy')), copied)).toBe(0)
  })
})

describe.skipIf(!process.env.CI && !isInstalled('qemu-img'))('on other devices', () => {
  test.each([
    ['info', '/dev/null'],
    ['info', '-f', 'raw', '/dev/zero'],
    ['info', '/dev/null/x'],
    ['info', '/dev/cdrom-that-is-not-there'],
    ['create', '-f', 'raw', '/dev/zero', '1M'],
    ['create', '-f', 'raw', 'host_device:data', '1M'],
    ['create', '-f', 'raw', 'host_device:missing', '1M'],
    ['info', 'host_device:data'],
    ['info', 'host_cdrom:data'],
    ['info', 'host_device:'],
  ])('%s %s %s %s', (...args) => {
    const theirs = runTool(reference, folder, ...args)
    expect(runTool(ours, folder, ...args)).toEqual(theirs)
  })
})
