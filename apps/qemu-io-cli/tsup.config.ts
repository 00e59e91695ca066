import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { 'qemu-io': 'src/main.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  dts: false,
  // One file of a fixed name: there is nothing to clean, and who runs it meanwhile still finds it.
  clean: false,
  splitting: false,
  minifySyntax: true,
  noExternal: [/^@blocklayer\//],
  // koffi carries a binary; it stays beside the bundle as an optional dependency.
  external: ['koffi'],
  esbuildOptions(options) {
    // Sources, so that the bundle never contains a stale build of another package.
    options.conditions = ['@blocklayer/source']
  },
  banner: { js: '#!/usr/bin/env node' },
})
