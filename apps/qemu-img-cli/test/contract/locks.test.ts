// Proves that images which somebody else has open are refused, or shared, exactly as by the reference: the reference's
// own qemu-io holds them, so both sides speak of the same bytes in the lock table.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { hasReference, needsReference, ours, reference, shell } from '../support/tools.ts'

describe.skipIf(!hasReference)(needsReference('locks'), () => {
  let root: string
  let holders: ChildProcess[] = []
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'blocklayer-locks-'))
    shell(
      `mkdir ours; cd ours
       qemu-img create -q -f raw r 1M; qemu-io -f raw -c 'write -P 1 0 64k' r
       qemu-img create -q -f qcow2 base 1M
       qemu-img create -q -f qcow2 -b base -F qcow2 top; qemu-io -c 'write -P 3 0 64k' top`,
      { cwd: root },
    )
    shell('cp -a --sparse=always ours reference', { cwd: root })
  })
  afterEach(async () => {
    for (const holder of holders) {
      holder.stdin?.end()
      await once(holder, 'exit')
    }
    holders = []
  })
  afterAll(() => rmSync(root, { recursive: true }))

  /** Opens an image in both folders and keeps it open. */
  async function hold(args: readonly string[]): Promise<void> {
    for (const folder of ['ours', 'reference']) {
      const holder = spawn('qemu-io', args, { cwd: join(root, folder), stdio: ['pipe', 'pipe', 'inherit'] })
      holders.push(holder)
      await once(holder.stdout, 'data')
    }
  }

  const commands = [
    'info base',
    'info -U base',
    'info -f raw base',
    'map top',
    'check base',
    'check -U base',
    'check -r all base',
    'compare top base',
    'create -f qcow2 base 1M',
    'create -f qcow2 -b base -F qcow2 new',
    'convert base new.raw',
    'convert -U base new.raw',
    'convert -n -O qcow2 r base',
    'commit top',
    'commit -d top',
    'resize base 2M',
    'snapshot -l base',
    'snapshot -U -l base',
    'snapshot -c s base',
    'snapshot -c s top',
    'measure base',
    'measure -U base',
    'bitmap --add base b',
    'bitmap --add --merge b -b base top b',
    'convert -c -O qcow2 base new.qcow2',
  ]

  test.each(commands)('a writer of qcow2 against: %s', async (line) => {
    await hold(['-f', 'qcow2', 'base'])
    compare(line)
  })

  test.each(commands)('a reader of qcow2 against: %s', async (line) => {
    await hold(['-r', '-f', 'qcow2', 'base'])
    compare(line)
  })

  test.each([
    'info r',
    'map r',
    'measure r',
    'resize -f raw r +1M',
    'snapshot -l r',
    'convert r new.raw',
    'convert -U r new.raw',
    'create -f raw r 1M',
    'compare r base',
  ])('a writer of raw against: %s', async (line) => {
    await hold(['-f', 'raw', 'r'])
    compare(line)
  })

  test('an overlay that is in use', async () => {
    await hold(['-r', '-f', 'qcow2', 'top'])
    compare('commit top')
  })

  function compare(line: string): void {
    const mask = (text: string): string => text.replace(/^disk size: .*$/gm, '')
    const [a, b] = [ours, reference].map((run, i) => {
      const { stdout, stderr, status } = run(line.split(' '), { cwd: join(root, ['ours', 'reference'][i] ?? '') })
      return `status ${status}\n${mask(stdout)}\n${stderr}`
    })
    expect(a).toBe(b)
  }
})
