/** The qcow2 driver out of a copy of its sources in which one text was replaced. Nothing that is shipped knows of it. */
import { copyFileSync, cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../../lib/workspace.ts'
import type { ImageNode } from '../qcow2-subject.ts'
import type { SourceChange } from './bug.ts'

const driver = join(root, 'packages/driver-qcow2')

/**
 * Copies the driver's sources into `folder`, which exists and is empty, makes the change there, and loads the copy.
 *
 * @throws Error where the text does not stand in the file exactly once: the source has changed, the bug must follow
 */
export async function mutatedDriver(folder: string, { file, find, replace }: SourceChange): Promise<ImageNode> {
  cpSync(join(driver, 'src'), join(folder, 'src'), { recursive: true })
  // Other packages and the package's own conditions resolve as they do in the original's place.
  copyFileSync(join(driver, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(driver, 'node_modules'), join(folder, 'node_modules'))
  const path = join(folder, 'src', file)
  const source = readFileSync(path, 'utf8')
  const count = source.split(find).length - 1
  if (count !== 1) throw new Error(`${file}: ${count} times instead of once: ${find}`)
  writeFileSync(
    path,
    source.replace(find, () => replace),
  )
  const module: { readonly qcow2: ImageNode } = await import(pathToFileURL(join(folder, 'src/index.ts')).href)
  return module.qcow2
}
