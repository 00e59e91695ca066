/** Counts votes: which content, or which error, has the most copies behind it. */

/** One answer, and who gave it. */
export interface Version<T> {
  readonly value: T
  /** Positions in the list of answers. */
  readonly voters: readonly number[]
}

/**
 * Groups equal answers, in the order in which each was first given.
 *
 * @param answers - `undefined` does not vote
 */
export function countVotes<T>(
  answers: readonly (T | undefined)[],
  isEqual: (a: T, b: T) => boolean,
): readonly Version<T>[] {
  const versions: { value: T; voters: number[] }[] = []
  for (const [voter, answer] of answers.entries()) {
    if (answer === undefined) continue
    const version = versions.find(({ value }) => isEqual(value, answer))
    if (version === undefined) versions.push({ value: answer, voters: [voter] })
    else version.voters.push(voter)
  }
  return versions
}

/** The version with the most votes; of several, the one that came up last, as in the reference. */
export function winnerOf<T>(versions: readonly Version<T>[]): Version<T> | undefined {
  let winner: Version<T> | undefined
  for (const version of versions) {
    if (winner === undefined || version.voters.length >= winner.voters.length) winner = version
  }
  return winner
}
