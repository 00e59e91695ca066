import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts', driver: 'src/driver.ts', 'testing/index': 'src/testing/index.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'neutral',
  // What the types name must be known to whoever has neither these types in `lib` nor those of Node.
  dts: { banner: '/// <reference lib="esnext.disposable" />' },
  clean: true,
  splitting: true,
})
