import { readdirSync } from 'node:fs'
import { defineConfig } from 'tsup'

const tests = readdirSync('src/tests').map((name) => [`tests/${name}/test`, `src/tests/${name}/test.ts`])

export default defineConfig({
  entry: {
    iotests: 'src/main.ts',
    // Apart from the runner: it stands in for an implementation's qemu-io and is run as a process like any other.
    'block-io': 'src/tools/block-io.ts',
    ...Object.fromEntries(tests),
  },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  dts: false,
  clean: true,
  splitting: true,
  noExternal: [/^@blocklayer\//],
  // koffi carries a binary; it stays beside the bundle as an optional dependency.
  external: ['koffi'],
  esbuildOptions(options) {
    // Sources, so that the bundle never contains a stale build of another package.
    options.conditions = ['@blocklayer/source']
  },
  banner: { js: '#!/usr/bin/env node' },
})
