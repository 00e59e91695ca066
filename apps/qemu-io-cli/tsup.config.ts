import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'tsup'

export default defineConfig(({ outDir = 'dist' }) => ({
  // What is started, and the program that it runs from compiled code.
  entry: { 'qemu-io': 'src/main.ts', program: 'src/program.ts' },
  format: 'cjs',
  outExtension: () => ({ js: '.js' }),
  target: 'node20',
  platform: 'node',
  dts: false,
  // Files of fixed names: there is nothing to clean, and who runs them meanwhile still finds them.
  clean: false,
  splitting: false,
  // `import.meta` in a format that has none.
  shims: true,
  minifySyntax: true,
  minifyWhitespace: true,
  noExternal: [/^@blocklayer\//],
  // koffi carries a binary; it stays beside the bundle as an optional dependency.
  external: ['koffi'],
  esbuildOptions(options) {
    // Sources, so that the bundle never contains a stale build of another package.
    options.conditions = ['@blocklayer/source']
  },
  onSuccess: async () => {
    const buildId = createHash('sha256')
      .update(readFileSync(join(outDir, 'program.js')))
      .digest('hex')
      .slice(0, 16)
    writeFileSync(join(outDir, 'package.json'), `${JSON.stringify({ type: 'commonjs', buildId })}\n`)
  },
}))
