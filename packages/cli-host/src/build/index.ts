/** How our command line programs are built. */

export { type BundlePlan, bundleProgram, programBuild } from './bundle-program.ts'
