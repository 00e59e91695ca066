import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { child: 'child.ts' },
  outDir: process.env.BLOCKLAYER_BUNDLE ?? 'dist',
  format: 'esm',
  target: 'node20',
  platform: 'node',
  dts: false,
  clean: false,
  splitting: false,
  noExternal: [/^@blocklayer\//],
  external: ['koffi'],
  esbuildOptions(options) {
    options.conditions = ['@blocklayer/source']
  },
  outExtension: () => ({ js: '.js' }),
})
