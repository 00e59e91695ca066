import { readdirSync } from 'node:fs'
import { defineConfig } from 'tsup'

const tests = readdirSync('src/tests').map((name) => [`tests/${name}/test`, `src/tests/${name}/test.ts`])

export default defineConfig({
  entry: {
    iotests: 'src/main.ts',
    ...Object.fromEntries(tests),
  },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  dts: false,
  clean: true,
  splitting: true,
  banner: { js: '#!/usr/bin/env node' },
})
