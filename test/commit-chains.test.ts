// Proves the main claim on real data: a chain that the reference made is committed by ours to the very bytes that the
// reference's own commit gives, and the other way round; every image checks, and the emptied overlay looks the same.
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeStates, states } from '../scripts/demo/filesystem.ts'
import { isInstalled, mustSucceed, ours, reference, runTool, type Tool } from '../scripts/lib/workspace.ts'
import { type ImagePlan, imageName, makeChain } from './chains/make-chain.ts'

const hasReference = isInstalled('qemu-img') && isInstalled('qemu-io') && isInstalled('mke2fs')

let folder: string
const state = (n: 1 | 2 | 3) => join(folder, states[n - 1]!)

beforeAll(async () => {
  if (!hasReference) return
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-chains-'))
  await makeStates(folder)
})
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true })
})

const KiB = 1024
const plans: Readonly<Record<string, () => ImagePlan[]>> = {
  '2 images': () => [
    { format: 'qcow2', clusterSize: 64 * KiB, after: state(1) },
    { format: 'qcow2', clusterSize: 4 * KiB, before: state(1), after: state(3) },
  ],
  '2 images, the base raw': () => [
    { format: 'raw', clusterSize: 0, after: state(1) },
    { format: 'qcow2', clusterSize: 64 * KiB, before: state(1), after: state(2) },
  ],
  '3 images, the top longer than its base': () => [
    { format: 'qcow2', clusterSize: 16 * KiB, after: state(1) },
    { format: 'qcow2', clusterSize: 2048 * KiB, before: state(1), after: state(2) },
    { format: 'qcow2', clusterSize: 64 * KiB, before: state(2), after: state(3), longerBy: 40 * KiB * KiB },
  ],
  '5 images': () => [
    { format: 'qcow2', clusterSize: 64 * KiB, after: state(1) },
    { format: 'qcow2', clusterSize: 4 * KiB, before: state(1), after: state(2), eighths: [0, 3] },
    { format: 'qcow2', clusterSize: 1024 * KiB, before: state(1), after: state(2), eighths: [3, 8] },
    { format: 'qcow2', clusterSize: 64 * KiB, before: state(2), after: state(3), eighths: [0, 5] },
    { format: 'qcow2', clusterSize: 32 * KiB, before: state(2), after: state(3), eighths: [5, 8] },
  ],
}

/** Both ways of committing the top of `count` images: into what it names, and to the bottom. */
function commits(count: number): { args: string[]; target: number }[] {
  const plain = { args: ['commit', imageName(count - 1)], target: count - 2 }
  const deep = { args: ['commit', '-b', imageName(0), imageName(count - 1)], target: 0 }
  return count > 2 ? [plain, deep] : [plain]
}

/** What `info` says of an image, without the name of its folder, and the space it takes on the host. */
function infoOf(copy: string, image: string): { info: unknown; hostBytes: number } {
  const text = mustSucceed('info', runTool(reference, copy, 'info', '--output=json', image)).stdout
  const { 'actual-size': hostBytes, ...info } = JSON.parse(text.replaceAll(copy, '')) as { 'actual-size': number }
  return { info, hostBytes }
}

/** Commits a fresh copy of the chain by `tool`, and gives the copy's folder. */
function commitCopy(origin: string, tool: Tool, args: readonly string[]): string {
  const copy = `${origin}-${tool.name}`
  cpSync(origin, copy, { recursive: true })
  const commit = mustSucceed(`${tool.name}: ${args.join(' ')}`, runTool(tool, copy, ...args))
  expect({ ...commit, stderr: '' }).toEqual({ code: 0, stdout: 'Image committed.\n', stderr: '' })
  return copy
}

/** Commits copies by both tools, and holds the results side by side. */
function compareCommits(origin: string, plan: readonly ImagePlan[], args: readonly string[], target: number): void {
  const [own, theirs] = [ours, reference].map((tool) => commitCopy(origin, tool, args)) as [string, string]
  try {
    const format = plan[target]!.format
    const images = [join(own, imageName(target)), join(theirs, imageName(target))]
    const compare = runTool(reference, folder, 'compare', '-f', format, '-F', format, ...images)
    expect(compare).toEqual({ code: 0, stdout: 'Images are identical.\n', stderr: '' })
    for (const [i, { format: imageFormat }] of plan.entries()) {
      if (imageFormat === 'raw') continue
      const check = runTool(reference, own, 'check', '-f', 'qcow2', imageName(i))
      expect(check.stdout).toContain('No errors were found on the image.')
      expect(runTool(ours, theirs, 'check', '-f', 'qcow2', imageName(i)).code).toBe(0)
    }
    const top = imageName(plan.length - 1)
    const [ownInfo, theirInfo] = [infoOf(own, top), infoOf(theirs, top)]
    expect(ownInfo.info).toEqual(theirInfo.info)
    // The host's filesystem counts a few blocks of its own, depending on the order in which a file was written.
    expect(Math.abs(ownInfo.hostBytes - theirInfo.hostBytes)).toBeLessThanOrEqual(16 * KiB)
    expect(statSync(join(own, top)).size).toBe(statSync(join(theirs, top)).size)
  } finally {
    for (const copy of [own, theirs]) rmSync(copy, { recursive: true })
  }
}

// In CI a missing reference is a failure, not a skip.
describe.skipIf(!hasReference && !process.env.CI)('needs qemu-img, qemu-io and mke2fs', () => {
  describe.each([reference, ours])('images made by $name', (maker) => {
    test.each(Object.keys(plans))('%s', async (name) => {
      const plan = plans[name]!()
      const origin = join(folder, 'chain')
      mkdirSync(origin)
      try {
        await makeChain(maker, origin, plan)
        const checker = maker === ours ? reference : ours
        for (const [i, { format }] of plan.entries()) {
          if (format === 'qcow2') mustSucceed('check', runTool(checker, origin, 'check', '-f', 'qcow2', imageName(i)))
        }
        for (const { args, target } of commits(plan.length)) compareCommits(origin, plan, args, target)
      } finally {
        rmSync(origin, { recursive: true })
      }
    })
  })
})
