/** The files of a new driver that are not its code: the same for every driver but for its name. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lib/workspace.ts'
import type { DriverPlan } from './create.ts'

/** Settings by their file names. */
export function settingsFiles(plan: DriverPlan): [string, string][] {
  return [
    ['package.json', packageJson(plan)],
    ['tsconfig.json', tsconfigJson],
    ['tsup.config.ts', tsupConfig],
    ['vitest.config.ts', vitestConfig(plan)],
    ['README.md', readme(plan)],
  ]
}

/** Ours: whoever makes a driver may choose another. */
export function licenceFile(): string {
  return readFileSync(join(root, 'LICENSE'), 'utf8')
}

function packageJson({ format, inWorkspace, version }: DriverPlan): string {
  const range = inWorkspace ? 'workspace:*' : `^${version}`
  // In the workspace the tools are the root's.
  const tools = inWorkspace ? {} : toolVersions()
  const manifest = {
    name: `driver-${format}`,
    version: '0.0.0',
    private: true,
    description: `A Blocklayer driver for ${format} disk images.`,
    license: 'MIT',
    type: 'module',
    engines: { node: '>=20.19' },
    sideEffects: false,
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    files: ['dist', 'README.md', 'LICENSE'],
    scripts: { build: 'tsup', typecheck: 'tsc -p tsconfig.json', test: 'vitest run' },
    dependencies: { '@blocklayer/block-core': range },
    devDependencies: { '@blocklayer/driver-file': range, ...tools },
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

function toolVersions(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  return Object.fromEntries(['tsup', 'typescript', 'vitest'].map((tool) => [tool, manifest.devDependencies[tool]!]))
}

const tsconfigJson = `{
  "include": ["src", "test"],
  "compilerOptions": {
    "target": "ES2022",
    "module": "ESNext",
    "moduleResolution": "bundler",
    "customConditions": ["@blocklayer/source"],
    "lib": ["ES2024", "ESNext.Disposable", "DOM", "DOM.Iterable"],
    "types": [],
    "strict": true,
    "exactOptionalPropertyTypes": true,
    "noUncheckedIndexedAccess": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "isolatedDeclarations": true,
    "declaration": true,
    "noEmit": true,
    "skipLibCheck": true
  }
}
`

const tsupConfig = `import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'neutral',
  dts: true,
  clean: true,
})
`

function vitestConfig({ format }: DriverPlan): string {
  return `import { defineConfig } from 'vitest/config'

// In Blocklayer's own repository this takes the sources of its packages; installed ones have nothing under that name.
const conditions = ['@blocklayer/source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name: 'driver-${format}', include: ['test/**/*.test.ts'] },
})
`
}

function readme({ format }: DriverPlan): string {
  const name = camelCase(format)
  return `# driver-${format}

A Blocklayer driver for ${format} disk images.

\`\`\`ts
import { createBlockGraph } from '@blocklayer/block-core'
import { fileDriver } from '@blocklayer/driver-file'
import { ${name}Driver } from 'driver-${format}'

await using graph = createBlockGraph({ drivers: [fileDriver, ${name}Driver], implicitOpen: 'deny' })
await using disk = await graph.open('disk.${format}', { format: '${format}' })
\`\`\`

| option | meaning                       |
| ------ | ----------------------------- |
| \`file\` | the file that holds the image |
`
}

/** `my-format` as it begins a name in code. */
export function camelCase(format: string): string {
  return format.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
