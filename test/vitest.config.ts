import { defineConfig } from 'vitest/config'

// Tests of the workspace as a whole: its layer rules, its tidiness, its commands. They run built files, as a user would.
export default defineConfig({
  test: { name: 'workspace', include: ['**/*.test.ts'], testTimeout: 300_000, hookTimeout: 120_000 },
})
