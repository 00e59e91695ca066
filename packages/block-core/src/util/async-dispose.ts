/** `await using` in engines that have no `Symbol.asyncDispose` of their own. */

/** What compilers of `await using` look for in such an engine. */
const substitute = Symbol.for('Symbol.asyncDispose')

/**
 * Has instances of a class closed by `await using` also where the engine has no symbol for it (Safari): there a method
 * `[Symbol.asyncDispose]` is one called `undefined`, which nobody finds.
 *
 * @param prototype - of the class
 * @param engine - where symbols come from
 */
export function closeByDisposal(
  prototype: { close(): Promise<void> },
  engine: { readonly asyncDispose?: symbol } = Symbol,
): void {
  if (engine.asyncDispose !== undefined) return
  const dispose = function (this: { close(): Promise<void> }): Promise<void> {
    return this.close()
  }
  Object.defineProperty(prototype, substitute, { value: dispose, configurable: true, writable: true })
}
