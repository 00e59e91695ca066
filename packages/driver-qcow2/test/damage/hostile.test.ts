/**
 * Proves that what an image claims to hold costs no memory before it has been judged: fields that are sizes say the most
 * that they can, and the most that is allowed, and checking and mending takes less than 256 MiB for each.
 */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { TemporaryFolder } from '../helpers/reference.ts'
import { type Base, makeBase } from './bases.ts'
import { hostileSizes } from './hostile-sizes.ts'
import { Victim } from './image.ts'

const base: Base = {
  name: 'hostile',
  maker: 'ours',
  compat: '1.1',
  clusterSize: 65536,
  refcountBits: 16,
  with: 'snapshots',
}

const script = fileURLToPath(new URL('hostile-process.ts', import.meta.url))

test('no image with hostile sizes takes 256 MiB to check and mend', async () => {
  using folder = new TemporaryFolder()
  const sound = await makeBase(base, folder)
  // First a sound image: what the process takes anyway.
  const images = [new Victim(sound), ...hostileSizes.map(({ apply }) => apply(new Victim(sound.slice())))]
  const paths = images.map((_, at) => folder.file(`image${at}`))
  for (const [at, { bytes }] of images.entries()) writeFileSync(paths[at]!, bytes)
  const args = ['--conditions=@blocklayer/source', '--no-warnings', '--expose-gc', script, ...paths]
  const printed = execFileSync(process.execPath, args, { encoding: 'utf8' })
  const taken = printed.trim().split('\n').map(Number)
  // How far an image has raised the mark: what those before it took is not its own.
  const tooMuch = hostileSizes.filter((_, at) => !(taken[at + 1]! - taken[at]! < 256)).map(({ name }) => name)
  expect(tooMuch, printed).toEqual([])
})
