import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'codec-node': 'src/data/compression/codec-node.ts',
    'codec-browser': 'src/data/compression/codec-browser.ts',
  },
  // Chosen where the package is used, by its `imports` conditions; not here.
  external: ['#codec', 'node:zlib'],
  format: 'esm',
  target: 'node20',
  platform: 'neutral',
  dts: true,
  clean: true,
  splitting: true,
})
