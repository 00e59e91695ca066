import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** What every package's `vitest.config.ts` uses: sources instead of builds, so that a test never sees a stale `dist/`. */
export function packageTests(name: string): ViteUserConfig {
  const conditions = ['@blocklayer/source', 'node', 'import', 'module', 'default']
  return defineConfig({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: { name, include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
  })
}
