/** Builds the program before its tests if a source is newer than the build. */

import { buildApp } from '../../../../vitest.build.ts'

/** Called by vitest once. */
export function setup(): void {
  buildApp('qemu-img-cli', 'dist/qemu-img.js')
}
