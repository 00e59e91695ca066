import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'read-text-file-node': 'src/read-text-file-node.ts',
    'read-text-file-browser': 'src/read-text-file-browser.ts',
  },
  // Resolved where the package is used: by the conditions of its `imports`.
  external: ['#read-text-file'],
  format: 'esm',
  target: 'node20',
  platform: 'neutral',
  dts: true,
  clean: true,
  splitting: true,
})
