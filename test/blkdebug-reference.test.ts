// Proves that our blkdebug is the reference's: the same rules files are refused in the same words, the same requests fail
// with the same errno and leave the same bytes, qcow2 announces the same steps, and requests stop and go on alike.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blkdebugEvents } from '@blocklayer/block-core/driver'
import { random, seeds } from '@blocklayer/block-core/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled } from '../scripts/lib/workspace.ts'
import { imageBytes, jsonName, randomCase, type Request } from './blkdebug/case.ts'
import { randomConfig } from './blkdebug/config-text.ts'
import { makeImages, scenarios } from './blkdebug/images.ts'
import { ourOutcome } from './blkdebug/ours.ts'
import { died, theirOutcome } from './blkdebug/theirs.ts'

const withoutReference = !process.env.CI && !(isInstalled('qemu-img') && isInstalled('qemu-io'))
const reason = withoutReference ? ' (skipped: qemu-img and qemu-io are not installed)' : ''

const home = process.cwd()
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-blkdebug-'))
  process.chdir(folder)
  writeFileSync('image', new Uint8Array(imageBytes).fill(1))
  if (!withoutReference) makeImages(folder)
})
afterAll(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true })
})

const probes: readonly Request[] = [
  { kind: 'read', offset: 0, bytes: 512 },
  { kind: 'write', offset: 512, bytes: 512 },
]

describe.skipIf(withoutReference)(`beside the reference${reason}`, () => {
  for (const seed of seeds(1)) {
    test(`100 rules files (seed ${seed})`, async () => {
      const choose = random(seed)
      const refusals = new Set<unknown>()
      for (let i = 0; i < 100; i++) {
        const text = randomConfig(choose)
        writeFileSync('rules', text)
        const theirs = theirOutcome('blkdebug:rules:image', probes)
        expect({ text, outcome: await ourOutcome('blkdebug:rules:image', probes) }).toEqual({ text, outcome: theirs })
        if (typeof theirs === 'string') refusals.add(theirs)
      }
      expect(refusals.size).toBeGreaterThan(15)
    })

    test(`50 nodes with rules and limits (seed ${seed})`, async () => {
      const choose = random(seed)
      let compared = 0
      for (let i = 0; i < 50; i++) {
        const { options, requests } = randomCase(choose)
        const format = choose.pick(['', 'raw'])
        for (const side of ['ours', 'theirs']) writeFileSync(side, new Uint8Array(imageBytes).fill(1))
        const outcome = await ourOutcome(jsonName(options, 'ours', format), requests)
        const theirs = theirOutcome(jsonName(options, 'theirs', format), requests)
        if (theirs === died) {
          // A discard that is not whole units of `align` ends the reference; ours goes on.
          expect(requests.some(({ kind }) => kind === 'discard') && 'align' in options).toBe(true)
          continue
        }
        const at = { options, requests, format }
        expect({ ...at, outcome }).toEqual({ ...at, outcome: theirs })
        expect(readFileSync('ours').equals(readFileSync('theirs')), JSON.stringify(at)).toBe(true)
        compared++
      }
      expect(compared).toBeGreaterThan(40)
    })
  }

  describe.each(Object.entries(scenarios))('%s', (name, { image, requests }) => {
    test.each(blkdebugEvents)('%s fails the same request', async (event) => {
      for (const side of ['ours', 'theirs']) copyFileSync(image, side)
      const options = { 'inject-error': [{ event, errno: 28, once: true }] }
      const outcome = await ourOutcome(jsonName(options, 'ours', 'qcow2'), requests)
      const theirs = theirOutcome(jsonName(options, 'theirs', 'qcow2'), requests)
      if (linksBeforeData(name, event)) {
        // The reference has linked the cluster whose data could not be written (docs/differences.md, compressed writes).
        expect(theirs).toEqual(['No space left on device', 'ok', 'ok', 'Input/output error', 'Input/output error'])
        expect(outcome).toEqual(['No space left on device', 'ok', 'ok', 'ok', 'ok'])
      } else expect(outcome).toEqual(theirs)
    })
  })

  test.each([
    { bogus: 1 },
    { 'inject-error': [] },
    { 'inject-error': 5 },
    { 'inject-error': [{ event: 'none' }, { event: 'none', sector: 'x' }] },
    { 'inject-error.0.event': 'none', 'inject-error.event': 'none' },
    { 'inject-error.0.event': 'none', 'inject-error.2.event': 'none' },
    { 'inject-error.bogus': 'none' },
    { 'set-state': [{ event: 'none', once: 'on' }] },
    { 'set-state': ['x'] },
    { 'take-child-perms': ['foo'] },
    { 'take-child-perms': 'write' },
    { 'unshare-child-perms': [] },
    { align: 'x' },
    { align: -1 },
    { align: 3 },
    { 'max-transfer': '3G' },
    { align: 4096, 'opt-write-zero': 512 },
    { 'opt-discard': 4096, 'max-discard': 512 },
    { config: 'nofile' },
    { config: '/' },
    { 'x-image': 'y' },
  ])('%j is refused in the same words', async (options) => {
    const name = jsonName(options, 'image', 'raw')
    const theirs = theirOutcome(name, [])
    expect(theirs).toEqual(expect.stringMatching(/./))
    expect(await ourOutcome(name, [])).toBe(theirs)
  })

  test.each(['blkdebug:x', 'blkdebug::', 'blkdebug:nofile:image', 'blkdebug::nofile', 'blkdebug::blkdebug:x'])(
    '%s is refused in the same words',
    async (name) => expect(await ourOutcome(name, [])).toBe(theirOutcome(name, [])),
  )
})

function linksBeforeData(scenario: string, event: string): boolean {
  const events = ['l2_update_compressed', 'write_compressed', 'cluster_alloc_bytes']
  return scenario === 'compressed writes' && events.includes(event)
}
