// Proves that results are kept back as the C library keeps them back, so that scripts that join both outputs read the same.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OutputBuffer } from '../src/terminal.ts'
import { hasReference, needsReference, oursPath, shell } from './support/tools.ts'
import { makeTwins, removeTwins, resetTwins, type Twins } from './support/twins.ts'

test('blocks of 4 KiB go on, a full one with the next letter; flushing writes the rest once', () => {
  const written: number[] = []
  const buffer = new OutputBuffer((bytes) => written.push(bytes.length))
  buffer.add('a'.repeat(4096))
  expect(written).toEqual([])
  buffer.add('b')
  buffer.add('')
  expect(written).toEqual([4096])
  buffer.add('c'.repeat(9000))
  buffer.flush()
  buffer.flush()
  expect(written).toEqual([4096, 8192, 809])
})

test('letters arrive whole and in order', () => {
  const written: Uint8Array[] = []
  const buffer = new OutputBuffer((bytes) => written.push(bytes.slice()))
  const text = 'ä€𝄞'.repeat(1000)
  for (const letter of text) buffer.add(letter)
  buffer.flush()
  expect(Buffer.concat(written).toString()).toBe(text)
})

describe.skipIf(!hasReference)(needsReference('both outputs in one pipe'), () => {
  let twins: Twins
  beforeAll(() => {
    const bench = 'qemu-img create -q -f qcow2 small 1M; qemu-img create -q -f qcow2 -b small -F qcow2 top'
    twins = makeTwins('terminal', `${bench}; qemu-io -c 'write -c 0 64k' small; qemu-io -c 'write 64k 64k' small`)
  })
  afterAll(() => removeTwins(twins))

  test.each([
    'bench -c 2 -w -s 4M -o 3M small',
    'commit -p small',
    'commit -p -b nope top',
    'commit -p top',
    'map small',
    'map --output json small',
    'rebase -p -b small top',
    'rebase -p -u -b small -F qcow2 top',
    'create -f qcow2 -o cluster_size=5 new 1M',
    'convert -p -O nope small new',
    'amend -p -o foo=1 small',
    'compare -p small missing',
    'resize small 512k',
    'dd if=small of=new skip=100000',
  ])('%s', (line) => {
    resetTwins(twins)
    const joined = (program: string, cwd: string): string =>
      shell(`${program} ${line} 2>&1 || true`, { cwd }).replace(/( {4}\(\d+\.\d\d\/100%\)\r)+/g, 'PROGRESS')
    expect(joined(`node ${oursPath}`, twins.ours)).toBe(joined('qemu-img', twins.reference))
  })
})
