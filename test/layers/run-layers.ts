/** Runs the layer check on a tree, exactly as `pnpm run layers` does, and gives what it saw. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fixturePackages } from './breaches.ts'

/** The workspace's root folder. */
export const root: string = resolve(import.meta.dirname, '../..')

/** One edge that breaks a rule. */
export interface Violation {
  readonly rule: string
  readonly from: string
}

/** What one run of the check saw. */
export interface LayersReport {
  /** Modules that were read, nothing from outside the tree counted. */
  readonly modules: number
  readonly violations: readonly Violation[]
  /** Edges as "from -> to", both relative to the tree. */
  readonly edges: ReadonlySet<string>
}

interface CruiseOutput {
  readonly modules: readonly {
    readonly source: string
    readonly dependencies: readonly { readonly resolved: string }[]
  }[]
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[]
  }
}

/**
 * Runs dependency-cruiser with the project's own configuration in `tree`.
 *
 * @throws Error when the tool fails to run at all; breaches are not a failure here
 */
export function runLayers(tree: string): LayersReport {
  const bin = join(root, 'node_modules/.bin')
  const config = join(root, 'dependency-cruiser.config.mjs')
  const run = spawnSync(
    join(bin, 'depcruise'),
    ['--config', config, '--output-type', 'json', 'packages', 'apps', 'examples'],
    // The pinned Node first: the system's own may be too old for the tool.
    { cwd: tree, encoding: 'utf8', maxBuffer: 256 << 20, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } },
  )
  if (!run.stdout.startsWith('{')) throw new Error(`dependency-cruiser did not run: ${run.stderr}`)
  const output = JSON.parse(run.stdout) as CruiseOutput
  const ours = output.modules.filter((module) => /^(packages|apps|examples)\//.test(module.source))
  return {
    modules: ours.length,
    violations: output.summary.violations.map(({ from, rule }) => ({ from, rule: rule.name })),
    edges: new Set(ours.flatMap(({ source, dependencies }) => dependencies.map((to) => `${source} -> ${to.resolved}`))),
  }
}

/** Writes `files` (path to content) under `tree`, with the project's packages linked as an install would link them. */
export function plantTree(tree: string, files: Readonly<Record<string, string>>): void {
  const door = (path: string) => ({ '@blocklayer/source': path })
  for (const folder of fixturePackages) {
    const name = `@blocklayer/${folder.split('/')[1]}`
    const exports = {
      '.': door(folder.startsWith('apps/') ? './src/main.ts' : './src/index.ts'),
      './driver': door('./src/driver.ts'),
      './testing': door('./src/testing/index.ts'),
    }
    // Every package may use every other, as far as npm is concerned: the layer rules alone must find the breach.
    const others = fixturePackages.map((other) => [`@blocklayer/${other.split('/')[1]}`, 'workspace:*'])
    const manifest = { name, type: 'module', exports, dependencies: Object.fromEntries(others) }
    write(join(tree, folder, 'package.json'), JSON.stringify(manifest))
    mkdirSync(join(tree, 'node_modules/@blocklayer'), { recursive: true })
    symlinkSync(join(tree, folder), join(tree, 'node_modules', name))
  }
  write(join(tree, 'package.json'), JSON.stringify({ name: 'fixture', type: 'module' }))
  // Installed, but declared by nobody.
  write(join(tree, 'node_modules/left-behind/package.json'), JSON.stringify({ name: 'left-behind', main: 'index.js' }))
  write(join(tree, 'node_modules/left-behind/index.js'), 'exports.left = 1\n')
  for (const [path, content] of Object.entries(files)) write(join(tree, path), content)
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
