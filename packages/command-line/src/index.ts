/** Command lines: read, explained, completed. */

export { type CompletedCommand, type CompletedCommands, commandCompletionScript } from './command-completion.ts'
export { type CompletedProgram, completionScript, type Shell, shells } from './completion.ts'
export {
  GetoptLong,
  type LongOption,
  type OptionTable,
  optionTable,
  type ScanError,
  type ScanRules,
  type ScanStep,
} from './getopt-long.ts'
export { type Manual, type ManualEntry, manPage } from './man-page.ts'
export { type MakeThrottleGroup, ObjectDefinitions, type ObjectOutcome, type ReadFile } from './object-definitions.ts'
export { optionHead, optionHelp, type ProgramOption, tableOf } from './program-option.ts'
export type { GroupLimits } from './throttle-definition.ts'
