/** What our command line programs share on Node: a quick start, descriptors, and drivers from outside. */

export { isTerminal, writeAll } from './descriptors.ts'
export { driversWithModules, DriverModuleError, type ImportModule, type ModuleLoading } from './driver-modules.ts'
export { type BundledProgram, runBundle } from './run-bundle.ts'
