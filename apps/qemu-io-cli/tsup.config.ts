import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { 'qemu-io': 'src/main.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  dts: false,
  clean: true,
  // What few runs need (help, a line editor, other compressions) is read only when they need it.
  splitting: true,
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
