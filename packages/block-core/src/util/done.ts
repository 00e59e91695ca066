/** Work that was done before its promise was asked for. */

/**
 * What a layer may return from a request that it finished at once, without waiting for anything: whoever gets exactly
 * this promise knows that there is nothing to wait for, and need not give up its turn. Any other promise is as right;
 * this one is only quicker.
 *
 * @example
 * import { doneAtOnce } from '@blocklayer/block-core/driver'
 *
 * const bytes = new Uint8Array(4096)
 * const layer = {
 *   read(offset: number, into: Uint8Array): Promise<void> {
 *     into.set(bytes.subarray(offset, offset + into.length))
 *     return doneAtOnce
 *   },
 * }
 * console.log(layer.read(0, new Uint8Array(512)) === doneAtOnce)
 */
export const doneAtOnce: Promise<void> = Promise.resolve()
