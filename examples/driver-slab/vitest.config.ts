import { defineConfig } from 'vitest/config'

// In Blocklayer's own repository this takes the sources of its packages; installed ones have nothing under that name.
const conditions = ['@blocklayer/source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name: 'driver-slab', include: ['test/**/*.test.ts'] },
})
