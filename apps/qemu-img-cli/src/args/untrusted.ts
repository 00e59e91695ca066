/** `--untrusted` and its limits, as they are met among a command's options. */

import { type InspectLimits, inspectLimitsDefault } from '@blocklayer/qemu-img'
import { Failure } from '../failure.ts'
import { parseSizeArgument } from './size-arg.ts'

/** Options that are sizes, and what messages call them. */
const sizes: Readonly<Record<string, { readonly limit: keyof InspectLimits; readonly name: string }>> = {
  'max-virtual-size': { limit: 'maxVirtualSize', name: 'maximum virtual size' },
  'max-memory': { limit: 'maxMemory', name: 'maximum memory' },
}

/** Options that are plain numbers. */
const numbers: Readonly<Record<string, keyof InspectLimits>> = {
  'max-expansion': 'maxExpansion',
  'max-snapshots': 'maxSnapshots',
  timeout: 'timeout',
}

/** Seconds that reading a gibibyte of an acceptable image may take beyond `--timeout`'s default. */
const secondsPerGib = 60

/** What the options say of strangers' images. */
export class UntrustedMode {
  /** Images are judged before they are opened. */
  enabled = false
  #limits: { -readonly [Limit in keyof InspectLimits]?: InspectLimits[Limit] } = {}
  #limitGiven: string | undefined
  #trusts = false
  #seconds = inspectLimitsDefault.timeout

  /** Limits that were given. */
  get limits(): Partial<InspectLimits> {
    return this.#limits
  }

  /** Seconds that the whole command may take; `undefined` where images are the user's. */
  get seconds(): number | undefined {
    return this.enabled ? (this.#limits.timeout ?? this.#seconds) : undefined
  }

  /** An image of `bytes` is acceptable: unless the user has said how long, reading it takes its time. */
  grantReading(bytes: bigint): void {
    this.#seconds += Math.ceil(Number(bytes) / 2 ** 30) * secondsPerGib
  }

  /** What an image names is not opened. */
  get deniesNames(): boolean {
    return this.enabled && !this.#trusts
  }

  /** All images of strangers are open: what is opened from now on is the user's. */
  trustFromHere(): void {
    this.#trusts = true
  }

  /**
   * Takes an option if it is one of these.
   *
   * @throws Failure for a value that is no size or number
   */
  take(id: string, argument: string, warn: (message: string) => void): boolean {
    const size = Object.hasOwn(sizes, id) ? sizes[id] : undefined
    const number = Object.hasOwn(numbers, id) ? numbers[id] : undefined
    if (id === 'untrusted') this.enabled = true
    else if (size !== undefined)
      this.#limits[size.limit] = Number(parseSizeArgument(argument, { name: size.name }, warn))
    else if (number !== undefined) this.#limits[number] = positive(id, argument)
    else return false
    if (id !== 'untrusted') this.#limitGiven = id
    return true
  }

  /** @throws Failure for a limit of nothing */
  check(): void {
    if (this.#limitGiven !== undefined && !this.enabled) {
      throw new Failure(`--${this.#limitGiven} can only be used with --untrusted`)
    }
  }
}

function positive(id: string, text: string): number {
  if (/^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(text)) return Number(text)
  throw new Failure(`--${id} must be a number, not '${text}'`)
}
