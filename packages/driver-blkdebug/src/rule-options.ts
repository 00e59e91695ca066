/** Rules as text, from the rules file and from options alike, into rules. */

import {
  BlockError,
  type BlkdebugEvent,
  errnoFromNumber,
  type Errno,
  type FlatOptions,
  isBlkdebugEvent,
  type OptionSchema,
  parseTypedOptions,
} from '@blocklayer/block-core/driver'
import { type InjectErrorRule, type IoType, ioTypes, type Rules, type SetStateRule } from './rules.ts'

/** Kinds of rules; also the names of sections and options. */
export type RuleKind = 'inject-error' | 'set-state'

/** A rule whose values have the right types, but whose names were not looked up yet. */
export interface RuleText {
  readonly kind: RuleKind
  readonly values: RuleValues
}

interface RuleValues {
  readonly event?: string
  readonly state?: number | bigint
  readonly iotype?: string
  readonly errno?: number | bigint
  readonly sector?: number | bigint
  readonly once?: boolean
  readonly immediately?: boolean
  readonly new_state?: number | bigint
}

type InjectErrorValues = Omit<RuleValues, 'new_state'>
type SetStateValues = Pick<RuleValues, 'event' | 'state' | 'new_state'>

const injectErrorSchema: OptionSchema<InjectErrorValues> = {
  event: { name: 'event', type: 'string', help: 'the event that arms the rule' },
  state: { name: 'state', type: 'number', help: 'the state in which it does so' },
  iotype: { name: 'iotype', type: 'string', help: 'the kind of requests that fail' },
  errno: { name: 'errno', type: 'number', help: 'the error they fail with' },
  sector: { name: 'sector', type: 'number', help: 'the sector they cover' },
  once: { name: 'once', type: 'bool', help: 'whether the rule goes after its first hit' },
  immediately: { name: 'immediately', type: 'bool', help: 'whether to fail without yielding' },
}

const setStateSchema: OptionSchema<SetStateValues> = {
  event: { name: 'event', type: 'string', help: 'the event that changes the state' },
  state: { name: 'state', type: 'number', help: 'the state in which it does so' },
  new_state: { name: 'new_state', type: 'number', help: 'the new state' },
}

/** Keys that a rule of each kind may have. */
export const ruleKeys: Readonly<Record<RuleKind, readonly string[]>> = {
  'inject-error': Object.keys(injectErrorSchema),
  'set-state': Object.keys(setStateSchema),
}

/**
 * Parses the values of one rule.
 *
 * @throws BlockError `EINVAL` `Parameter 'errno' expects a number` and the like, or `Invalid parameter '<key>'`
 */
export function parseRule(kind: RuleKind, flat: FlatOptions): RuleText {
  const schema: OptionSchema<RuleValues> | OptionSchema<SetStateValues> =
    kind === 'inject-error' ? (injectErrorSchema as OptionSchema<RuleValues>) : setStateSchema
  // A key that does not exist takes its turn among values that cannot be read: the first in hash order is named.
  const { options } = parseTypedOptions(schema as OptionSchema<RuleValues>, flat, { refusesUnknown: true })
  return { kind, values: options }
}

/**
 * Looks the names up: first those of all `inject-error` rules, then those of all `set-state` rules.
 *
 * @throws BlockError `EINVAL` `Missing event name for rule` or `invalid parameter value: <name>`
 */
export function makeRules(texts: readonly RuleText[]): Rules {
  const valuesOf = (kind: RuleKind): RuleValues[] =>
    texts.filter((text) => text.kind === kind).map((text) => text.values)
  return {
    injectError: valuesOf('inject-error').map(makeInjectError),
    setState: valuesOf('set-state').map(makeSetState),
  }
}

function makeInjectError(values: RuleValues): InjectErrorRule {
  const event = lookUpEvent(values.event)
  const ioType = values.iotype === undefined ? undefined : lookUpIoType(values.iotype)
  const sector = BigInt.asIntN(64, BigInt(values.sector ?? -1))
  return {
    event,
    state: int32(values.state ?? 0),
    ioType,
    errno: lookUpErrno(int32(values.errno ?? 5)),
    sector: sector === -1n ? undefined : Number(sector),
    once: values.once ?? false,
    immediately: values.immediately ?? false,
  }
}

function makeSetState(values: RuleValues): SetStateRule {
  return { event: lookUpEvent(values.event), state: int32(values.state ?? 0), newState: int32(values.new_state ?? 0) }
}

function lookUpEvent(name: string | undefined): BlkdebugEvent {
  if (name === undefined) throw new BlockError('EINVAL', 'Missing event name for rule')
  if (!isBlkdebugEvent(name)) throw new BlockError('EINVAL', `invalid parameter value: ${name}`)
  return name
}

function lookUpIoType(name: string): IoType {
  const ioType = ioTypes.find((candidate) => candidate === name)
  if (ioType === undefined) throw new BlockError('EINVAL', `invalid parameter value: ${name}`)
  return ioType
}

function lookUpErrno(number: number): Errno | undefined {
  if (number === 0) return undefined
  const errno = errnoFromNumber(number)
  // The reference injects any number, even a negative one, which it then takes for success without data.
  if (errno === undefined) throw new BlockError('EINVAL', `errno ${number} is not supported`)
  return errno
}

/** The reference keeps these numbers as C integers. */
function int32(value: number | bigint): number {
  return Number(BigInt.asIntN(32, BigInt(value)))
}
