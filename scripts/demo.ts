/**
 * `pnpm demo`: the main job, on real data. A chain of three images over a real filesystem is committed, with progress, into
 * its middle and to its bottom; then everything is checked and compared. Uses our own tools only.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { makeStates, states } from './demo/filesystem.ts'
import { Steps, show } from './demo/steps.ts'
import { withImage, writeDifferences } from './lib/images.ts'
import { ensureCli, isInstalled, mustSucceed, ours, reference, run, runTool, withFolder } from './lib/workspace.ts'

const chain = ['base.qcow2', 'mid.qcow2', 'top.qcow2'] as const
const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

async function demo(folder: string): Promise<void> {
  const steps = new Steps()
  await steps.run('build', () => `${ensureCli()}`)
  await steps.run('make a disk and let it change twice', () => makeStates(folder))
  await makeChain(steps, folder)
  await commits(steps, folder)
  await steps.run('check every image', () => {
    for (const image of chain) show(folder, 'check', '-f', 'qcow2', image)
    return undefined
  })
  await steps.run('read the filesystem out of the base', () => extract(folder))
  if (isInstalled('qemu-img')) await steps.run('ask the reference tools', () => askReference(folder))
  console.log(`\nAll of it holds. What took how long:\n${steps.summary()}`)
}

/** base ← mid ← top: the first state, and on it what changed to the second and from there to the third. */
async function makeChain(steps: Steps, folder: string): Promise<void> {
  await steps.run('base.qcow2: the disk as it was first', () =>
    show(folder, 'convert', '-f', 'raw', '-O', 'qcow2', states[0], 'base.qcow2'),
  )
  for (const [i, overlay] of (['mid.qcow2', 'top.qcow2'] as const).entries()) {
    await steps.run(`${overlay}: an overlay, and what changed written into it`, async () => {
      show(folder, 'create', '-f', 'qcow2', '-b', chain[i]!, '-F', 'qcow2', overlay)
      const [before, after] = [join(folder, states[i]!), join(folder, states[i + 1]!)]
      const written = await withImage(join(folder, overlay), (image) => writeDifferences(image, before, after))
      return `${mebibytes(written)} written through the API`
    })
  }
  await steps.run('the top reads as the last state', () => same(folder, 'top.qcow2'))
}

async function commits(steps: Steps, folder: string): Promise<void> {
  await steps.run('commit into the middle (-b mid.qcow2)', () =>
    show(folder, 'commit', '-p', '-b', 'mid.qcow2', 'top.qcow2'),
  )
  await steps.run('the middle now reads as the last state', () => same(folder, 'mid.qcow2'))
  await steps.run('commit to the bottom (-b base.qcow2)', () =>
    show(folder, 'commit', '-p', '-b', 'base.qcow2', 'top.qcow2'),
  )
  await steps.run('the bottom now reads as the last state', () => same(folder, 'base.qcow2'))
  await steps.run('commit once more without -b: the overlay is emptied', () => {
    const path = join(folder, 'top.qcow2')
    const before = statSync(path).size
    show(folder, 'commit', '-p', 'top.qcow2')
    const after = statSync(path).size
    if (after > 1024 * 1024) throw new Error(`top.qcow2 still has ${mebibytes(after)}`)
    return `top.qcow2 went from ${mebibytes(before)} to ${mebibytes(after)}`
  })
  await steps.run('the emptied top still reads as the last state', () => same(folder, 'top.qcow2'))
  show(folder, 'info', 'top.qcow2')
}

function same(folder: string, image: string): undefined {
  return show(folder, 'compare', '-f', 'qcow2', '-F', 'raw', image, states[2])
}

function extract(folder: string): string | undefined {
  show(folder, 'convert', '-f', 'qcow2', '-O', 'raw', 'base.qcow2', 'out.raw')
  if (!isInstalled('mke2fs') || !isInstalled('e2fsck')) return undefined
  mustSucceed('e2fsck', run('e2fsck', ['-f', '-n', 'out.raw'], folder))
  return 'e2fsck finds the filesystem in order'
}

function askReference(folder: string): string {
  for (const image of chain) {
    mustSucceed(`reference check ${image}`, runTool(reference, folder, 'check', image))
    mustSucceed(`reference compare ${image}`, runTool(reference, folder, 'compare', '-F', 'raw', image, states[2]))
    const [theirs, own] = [reference, ours].map((tool) => runTool(tool, folder, 'map', '--output=json', image).stdout)
    if (theirs !== own) throw new Error(`map of ${image} differs from the reference's`)
  }
  return 'qemu-img: every image checks without errors, reads as the last state, and has the same map'
}

console.log('Blocklayer demo: a chain of real disk images, committed')
await withFolder('demo', demo)
