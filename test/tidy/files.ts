/** The project's own files, read once. Nothing installed, built or cached is among them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** One file: its path relative to the root, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** The workspace's root folder. */
export const root: string = resolve(import.meta.dirname, '../..')

// `site` is what `pnpm docs:api` writes.
const skipped = new Set(['node_modules', 'dist', 'site', 'coverage', '.git', '.turbo'])

/** Every text file of the kinds we write by hand, in the order of their paths. */
export function projectFiles(folder = ''): SourceFile[] {
  const files: SourceFile[] = []
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory() && !skipped.has(entry.name)) files.push(...projectFiles(path))
    if (entry.isFile() && /\.(ts|mts|tsx|mjs|js|md|json|out)$/.test(entry.name)) {
      files.push({ path, text: readFileSync(join(root, path), 'utf8') })
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Folders that are packages of ours: `packages/x`, `apps/x`, `examples/x`. */
export function packageFolders(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path }) => /^((packages|apps|examples)\/[^/]+)\/package\.json$/.exec(path)?.[1] ?? [])
}
