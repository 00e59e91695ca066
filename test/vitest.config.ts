import { defineConfig } from 'vitest/config'
import { fromSources } from '../vitest.shared.ts'

// Tests of the workspace as a whole: its layer rules, its tidiness, its commands. The command line tool is run as built.
export default defineConfig({
  ...fromSources,
  test: {
    name: 'workspace',
    include: ['**/*.test.ts'],
    globalSetup: ['./global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
})
