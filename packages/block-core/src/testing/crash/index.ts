export {
  crashState,
  crashStates,
  disksBefore,
  type DiskState,
} from './crash-states.ts'
export {
  type CrashVerdict,
  type Exploration,
  exploreCrashes,
  type ExploreOptions,
  judgeState,
  judgeStateNamed,
} from './explore.ts'
export {
  exploreFaults,
  type FaultExploration,
  type FaultExploreOptions,
  faultName,
  type FaultVerdict,
  judgeFaultNamed,
} from './faults.ts'
export { absentFact, GuestModel, type GuestView, unknownFact } from './guest-model.ts'
export {
  applyChange,
  changeEnd,
  type DiskChange,
  entryText,
  type GuestChange,
  type GuestEvent,
  isChange,
  type Journal,
  type JournalDisk,
  type JournalEntry,
} from './journal.ts'
export { journalOfLog, type LoggedEntry } from './log-journal.ts'
export { type CrashMoment, crashMoments } from './moments.ts'
export { DiskRecorder } from './recorder.ts'
export { ScratchDisk, sectorBytes } from './scratch-disk.ts'
export type { DiskStateOptions } from './state-names.ts'
export {
  type CrashOperation,
  type Guest,
  type OpenSubject,
  recordOperation,
  type Recording,
  type SubjectOpenOptions,
  viewOf,
} from './subject.ts'
export { type CheckFacts, imageProblems, type Inspection, inspectState } from './verdict.ts'
