/** The `blkdebug` driver: names, options and opening. */

import {
  type BlockDriver,
  BlockError,
  type Child,
  ChildRoles,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type OpenContext,
  requestAlignmentOf,
} from '@blocklayer/block-core/driver'
import { readTextFile } from '#read-text-file'
import { BlkdebugLayer } from './blkdebug-layer.ts'
import { parseConfig } from './config-file.ts'
import { debugSupport } from './events.ts'
import {
  type BlkdebugOptions,
  blkdebugOptions,
  checkLimits,
  hasOnlyConfig,
  parseBlkdebugName,
  permissionMask,
} from './options.ts'
import { makeRules, parseRule } from './rule-options.ts'
import { RuleMachine, type Rules } from './rules.ts'
import { Breakpoints } from './suspend.ts'

/** A filter that makes requests fail, or wait, on purpose. */
export const blkdebugDriver: BlockDriver<BlkdebugOptions, never> = defineDriver<BlkdebugOptions>({
  formatName: 'blkdebug',
  protocolName: 'blkdebug',
  kind: 'filter',
  options: blkdebugOptions,
  parseFilename: parseBlkdebugName,
  async open(context, options) {
    const rules = new RuleMachine(await loadRules(options))
    const take = permissionMask(options.takeChildPerms)
    const unshare = permissionMask(options.unshareChildPerms)
    const image = await attachImage(context, options)
    const limits = checkLimits(options, requestAlignmentOf(image.node))
    const debug = debugSupport(rules, new Breakpoints((line) => context.report(line)))
    // Rules for "none" are armed from the beginning: this is the only time that this event comes.
    await debug.event('none')
    const namePrefix = hasOnlyConfig(options) ? `blkdebug:${options.config ?? ''}:` : undefined
    return new BlkdebugLayer({ image, rules, debug, limits, take, unshare, namePrefix })
  },
})

/** Describes a node that watches `options.image`. */
export function blkdebug(options: BlkdebugOptions): NodeSpec<BlkdebugOptions> {
  return nodeSpec(blkdebugDriver, options)
}

/** All text is parsed before any name is looked up: an error in the file wins over one in the options. */
async function loadRules(options: BlkdebugOptions): Promise<Rules> {
  const fromFile = options.config === undefined ? [] : parseConfig(await readTextFile(options.config))
  const injectError = (options.injectError ?? []).map((rule) => parseRule('inject-error', rule))
  const setState = (options.setState ?? []).map((rule) => parseRule('set-state', rule))
  return makeRules([...fromFile, ...injectError, ...setState])
}

function attachImage(context: OpenContext, options: BlkdebugOptions): Promise<Child> {
  const role = ChildRoles.filtered | ChildRoles.primary
  if (options.xImage !== undefined && options.image !== undefined) {
    return Promise.reject(new BlockError('EINVAL', "Can't specify 'file' and 'filename' options at the same time"))
  }
  if (options.xImage !== undefined) return context.attachNamed('image', role, options.xImage)
  return context.attach('image', role, options.image)
}
