/** What our command line programs share on Node: a quick start, and drivers from outside. */

export { driversWithModules, DriverModuleError, type ImportModule, type ModuleLoading } from './driver-modules.ts'
export { type BundledProgram, runBundle } from './run-bundle.ts'
