/** What options a driver has: one table from which types, parsing, help and the error texts follow. */

/** A value as it stands in a flat option dictionary: text from a command line, or a JSON scalar. */
export type OptionScalar = string | number | bigint | boolean | null

/**
 * Options as QEMU keeps them: one level, nested keys joined by dots (`file.filename`), list items by index
 * (`inject-error.0.event`). A `Map`, so that no key can reach a prototype.
 */
export type FlatOptions = Map<string, OptionScalar>

/** Kinds of values. A `readonly string[]` is an enumeration. */
export type OptionType =
  | 'string'
  | 'bool'
  | 'size'
  | 'number'
  /** A child: `file=<node name>` or `file.driver=…`. The driver gets a `ChildSpec` to hand to `attach`. */
  | 'node'
  /** A list of children: `name.0=<node name>`, `name.0.driver=…`. The driver gets `readonly (ChildSpec | undefined)[]`. */
  | 'node-list'
  /** A list of dictionaries: `name.0.key=…` (or one: `name.key=…`). The driver gets `readonly FlatOptions[]`. */
  | 'dict-list'
  /** A list of strings: `name.0=…`. The driver gets `readonly string[]`. */
  | 'string-list'
  | readonly string[]

/** One row of a schema. */
export interface OptionSpec {
  /** As users write it, dots and dashes included: `cluster_size`, `l2-cache-size`, `overlap-check.template`. */
  readonly name: string
  readonly type: OptionType
  readonly required?: boolean
  /** Shown by `-o help`; also the default that `create` prints in its `Formatting` line when `default` is given. */
  readonly help: string
  /**
   * As text, `65536` or `off`: what an absent option means, where the reference declares it. For those who read: the typed
   * options lack what was not given, and it is the driver that takes the default then.
   */
  readonly default?: string
  /** `true`: another value shows other guest data, so a node that has it set is named by `json:{…}` (QEMU: strong). */
  readonly strong?: boolean
  /**
   * The option may change when the node is reopened (`BlockLayer.prepareReopen`); absent there, it goes back to its
   * default. `stays`: it may change, but not be left out where it was given.
   */
  readonly mutable?: boolean | 'stays'
  /**
   * Options that are not kept when a reopening gives this one: they would contradict it, and whoever gives a total size
   * anew need not know which parts of it were given before (QEMU: join_options).
   */
  readonly replaces?: readonly string[]
  /** `dict-list` only: the keys an item may have. Given, all others are refused; absent, the driver checks them. */
  readonly keys?: readonly string[]
  /**
   * Enumerations only: which words refuse a value. `value`: `invalid parameter value: foo` (default for runtime options).
   * `parameter`: `Parameter 'preallocation' does not accept value 'foo'` (default for creation options).
   */
  readonly enumError?: 'value' | 'parameter'
}

/** The options of a driver, in declaration order; keys are the names of the typed options object. */
export type OptionSchema<T> = { readonly [K in keyof T]-?: OptionSpec }
