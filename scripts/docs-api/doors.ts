/** The doors of all packages that are published: what users can import. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lib/workspace.ts'

/** One thing that can be imported. */
export interface Door {
  /** As users write it: `@blocklayer/block-core/driver`. */
  readonly name: string
  /** Path of its source, from the root. */
  readonly source: string
}

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, { readonly '@blocklayer/source'?: string } | string>>
}

/** Every door of every package below `packages/`, from the packages' own `exports`. */
export function doors(): Door[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const path = join(root, 'packages', folder, 'package.json')
    if (!existsSync(path)) return []
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest
    return manifest.private === true ? [] : doorsOf(folder, manifest)
  })
}

function doorsOf(folder: string, { name, exports = {} }: Manifest): Door[] {
  return Object.entries(exports).flatMap(([door, target]) => {
    const source = typeof target === 'string' ? undefined : target['@blocklayer/source']
    if (source === undefined || !existsSync(join(root, 'packages', folder, source))) return []
    return { name: join(name, door), source: `packages/${folder}/${source.slice(2)}` }
  })
}
