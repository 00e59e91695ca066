/** The lines that `-o help` prints. */

import type { OptionSchema, OptionSpec, OptionType } from './schema.ts'

/** Column (from 0) where ` - <help>` starts, if the option's own text is shorter. */
const helpColumn = 24

/**
 * One line per option, sorted bytewise, without the headings: `  cluster_size=<size>    - qcow2 cluster size`.
 *
 * @param schema - creation options; several schemas may be merged into one object before
 * @see QEMU 7.2 util/qemu-option.c: qemu_opts_print_help (layout observed from `qemu-img create -o help`)
 */
export function formatOptionHelp<T>(schema: OptionSchema<T>): string[] {
  return optionSpecs(schema)
    .map((option) => {
      const text = `  ${option.name}=<${typeText(option.type)}>`
      return option.help === '' ? text : `${text.padEnd(helpColumn)} - ${option.help}`
    })
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/** The rows of a schema in declaration order. */
export function optionSpecs<T>(schema: OptionSchema<T>): OptionSpec[] {
  return Object.values<OptionSpec>(schema)
}

/** The reference knows four types; enumerations are strings to it. */
function typeText(type: OptionType): string {
  if (type === 'bool') return 'bool (on/off)'
  if (type === 'number') return 'num'
  if (type === 'size') return 'size'
  return 'str'
}
