import { defineConfig, type ViteUserConfig } from 'vitest/config'

const conditions = ['@blocklayer/source', 'node', 'import', 'module', 'default']

/** Sources instead of builds, so that a test never sees a stale `dist/`. */
export const fromSources: ViteUserConfig = { resolve: { conditions }, ssr: { resolve: { conditions } } }

/** What every package's `vitest.config.ts` uses. */
export function packageTests(name: string): ViteUserConfig {
  return defineConfig({
    ...fromSources,
    test: { name, include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
  })
}
