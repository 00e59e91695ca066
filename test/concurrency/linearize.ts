/**
 * Whether what was read of one cell has a serial order.
 *
 * Every request has a moment between its call and its return at which it takes effect as a whole, and every read shows
 * what the requests before its moment left: linearizability, decided exactly. Cells are checked one by one. Nothing is
 * claimed about the order of two overlapping requests being the same in all cells: the block layer promises none, neither
 * the reference's nor ours (a guest must not write one sector twice at the same time; if it does, each sector ends either way).
 */

/** One request as one cell saw it. Times are places in one sequence of all calls and returns. */
export interface CellEvent {
  readonly kind: 'read' | 'change' | 'discard'
  /** What was read or written; a discard leaves the cell as it is, or makes it 0. */
  readonly value: number
  readonly called: number
  readonly returned: number
}

/** The outcome of a check. */
export interface Verdict {
  /** Values that the cell may hold after the last request. */
  readonly values: ReadonlySet<number>
  /** The first request whose result no serial order explains. */
  readonly unexplained: CellEvent | undefined
}

/** So many requests may overlap on one cell; the search is exponential in them. */
export const overlapMax = 8

// A state of the search is one number: the cell's value, and a bit for each running request that has taken effect.
const stateBase: number = 2 ** overlapMax

interface Running {
  readonly event: CellEvent
  readonly bit: number
}

/**
 * @param initial - values of which the cell holds one in the beginning
 * @param events - in the order of the calls
 * @throws RangeError for more than `overlapMax` overlapping requests
 */
export function checkCell(initial: ReadonlySet<number>, events: readonly CellEvent[]): Verdict {
  let states = new Set([...initial].map((value) => value * stateBase))
  const running: Running[] = []
  const returns = [...events].sort((a, b) => a.returned - b.returned)
  let next = 0
  for (const ending of returns) {
    for (; next < events.length && events[next]!.called < ending.returned; next++) {
      states = begin(states, running, events[next]!)
    }
    const at = running.findIndex(({ event }) => event === ending)
    states = finish(states, running, running[at]!.bit)
    running.splice(at, 1)
    if (states.size === 0) return { values: new Set(), unexplained: ending }
  }
  return { values: new Set([...states].map((state) => Math.floor(state / stateBase))), unexplained: undefined }
}

function begin(states: Set<number>, running: Running[], event: CellEvent): Set<number> {
  let bit = 1
  while (running.some((other) => other.bit === bit)) bit *= 2
  if (bit >= stateBase) throw new RangeError(`more than ${overlapMax} requests overlap on one cell`)
  running.push({ event, bit })
  if (event.kind !== 'read') return states
  // A read is satisfied by what is there when it comes, where that is what it showed: waiting longer cannot help.
  return new Set([...states].map((state) => (Math.floor(state / stateBase) === event.value ? state + bit : state)))
}

/** States in which the request has taken effect: others take effect before it only where that leads somewhere. */
function finish(states: Set<number>, running: readonly Running[], bit: number): Set<number> {
  const finished = new Set<number>()
  const seen = new Set(states)
  const open = [...states]
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const done = state % stateBase
    if ((done & bit) !== 0) {
      finished.add(state - bit)
      continue
    }
    for (const each of running) {
      if ((done & each.bit) !== 0 || each.event.kind === 'read') continue
      for (const reached of effects(state, each, running)) {
        if (seen.has(reached)) continue
        seen.add(reached)
        open.push(reached)
      }
    }
  }
  return finished
}

/** The states that a running change may lead to. */
function effects(state: number, change: Running, running: readonly Running[]): number[] {
  const done = (state % stateBase) + change.bit
  let shown = done
  const { value } = change.event
  for (const { event, bit } of running) {
    if (event.kind === 'read' && event.value === value && (done & bit) === 0) shown += bit
  }
  const changed = value * stateBase + shown
  return change.event.kind === 'discard' ? [changed, state + change.bit] : [changed]
}
