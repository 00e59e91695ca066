// Side by side with the reference's qemu-io: the same arguments on equal images print the same, end with the same status
// and leave the same guest data. Only how long a request took may differ.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { filterQemuIo } from '../../src/filters/qemu-io.ts'
import { runBlockIo } from '../../src/tools/run.ts'
import { temporaryFolder } from '../support/folder.ts'
import { hasReference, needsReference, reference } from '../support/reference.ts'

const folder = temporaryFolder()
const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')]

/** What one run left. */
interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

async function runOurs(args: readonly string[]): Promise<Outcome> {
  const [out, err]: [string[], string[]] = [[], []]
  const status = await runBlockIo(args, { out: (text) => out.push(text), err: (text) => err.push(text) })
  return { stdout: filterQemuIo(out.join('')), stderr: err.join('').replaceAll(ours, 'IMAGE'), status }
}

function runTheirs(args: readonly string[]): Outcome {
  const { stdout, stderr, status } = reference('qemu-io', ...args)
  return { stdout: filterQemuIo(stdout), stderr: stderr.replaceAll(theirs, 'IMAGE'), status: status ?? -1 }
}

const lists: readonly (readonly string[])[] = [
  ['-c', 'write -P 0x22 0 64k', '-c', 'read -P 0x22 0 64k', '-c', 'read 1M 1k', 'IMAGE'],
  ['-f', 'qcow2', '-c', 'write 3000 7', '-c', 'r -P 0xcd 3000 7', '-c', 'r -P 0 2000 1000', 'IMAGE'],
  ['-c', 'w -P 1 0 128k', '-c', 'w -z 32k 64k', '-c', 'r -P 0 32k 64k', '-c', 'w -zu 0 128k', '-c', 'd 0 64k', 'IMAGE'],
  ['-c', 'write -qP 1 0 64k', '-c', 'discard -q 0 64k', '-c', 'read -qP 0 0 64k', '-c', 'read -qP 1 0 512', 'IMAGE'],
  ['-c', 'read 64M 512', '-c', 'write 64M 1', '-c', 'discard 64M 1', '-c', 'read 0 0', 'IMAGE'],
  ['-r', '-c', 'write 0 512', '-c', 'discard 0 512', '-c', 'read 0 512', 'IMAGE'],
  ['-rU', '-c', 'read -P 0 0 512', 'IMAGE'],
  ['-U', '-c', 'read 0 512', 'IMAGE'],
  ['-c', 'close', '-c', 'read 0 1', 'IMAGE'],
  ['-c', 'read 0 1'],
  ['-c', '', '-c', 'frob', '-c', 'rea 0 1', '-c', 'read 0', '-c', 'read 0 1 2', '-c', 'close 1', 'IMAGE'],
  ['-c', 'write 0 1 2', '-c', 'discard 0 1 2', '-c', 'write -Z 0 1', '-c', 'read 0 1 -P', 'IMAGE'],
  ['-c', 'write -u 0 1', '-c', 'write -zP 1 0 1', '-c', 'read -P 999 0 1', '-c', 'read 0 x', '-c', 'w 0 3G', 'IMAGE'],
  ['-c', 'close', 'IMAGE.none'],
  ['-f', 'frob', '-c', 'close', 'IMAGE'],
  ['-f', 'raw', '-c', 'read -P 0x51 0 1', 'IMAGE'],
  ['--image-opts', '-c', 'read 0 512', 'driver=qcow2,file.filename=IMAGE'],
  ['--image-opts', '-c', 'read 0 512', 'driver=qcow2,file.filename=IMAGE.none'],
  ['--image-opts', '-c', 'read 0 512', 'IMAGE'],
  ['--image-opts', '-f', 'qcow2', '-c', 'read 0 512', 'driver=qcow2,file.filename=IMAGE'],
  ['-c', 'write 0 64k', 'json:{"driver":"qcow2","file":{"driver":"file","filename":"IMAGE"}}'],
  ['-c', 'write 0 64k', '-c', 'read 0 512', 'blkdebug::IMAGE'],
  [
    '--image-opts',
    '-c',
    'write 0 64k',
    '-c',
    'read 0 512',
    'driver=qcow2,file.driver=blkdebug,file.image.filename=IMAGE,file.inject-error.event=write_aio,file.inject-error.errno=28',
  ],
]

describe.skipIf(!hasReference)(needsReference('the stand-in prints what qemu-io prints'), () => {
  beforeEach(() => {
    reference('qemu-img', 'create', '-q', '-f', 'qcow2', theirs, '64M')
    copyFileSync(theirs, ours)
  })

  test.each(lists.map((list) => [list.join(' '), list] as const))('%s', async (_, list) => {
    const mine = await runOurs(list.map((word) => word.replaceAll('IMAGE', ours)))
    expect(mine).toEqual(runTheirs(list.map((word) => word.replaceAll('IMAGE', theirs))))
    expect(reference('qemu-img', 'compare', ours, theirs).stdout).toBe('Images are identical.\n')
    expect(reference('qemu-img', 'check', ours).status).toBe(0)
  })
})

describe('what only the stand-in refuses', () => {
  test.each([
    [['IMAGE'], 'commands come by -c only: nothing is read from standard input'],
    [['-c', 'close', 'a', 'b'], 'only one file can be opened'],
  ])('%j', async (args, message) => {
    expect(await runOurs(args)).toEqual({ stdout: '', stderr: `qemu-io: ${message}\n`, status: 1 })
  })

  test('an unknown option', async () => {
    expect((await runOurs(['--frob'])).stderr).toMatch(/^qemu-io: Unknown option '--frob'/)
  })
})
