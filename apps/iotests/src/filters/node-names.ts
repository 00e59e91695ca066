/** Makes names that tools generate comparable: `json:` names, `blkdebug:` names and generated node names. */

/** `#block123`, which counts every node a process ever opened, becomes `NODE_NAME`; `json:` names get sorted keys. */
export function filterNodeNames(text: string): string {
  return sortJsonNames(text).replace(/#block\d+/g, 'NODE_NAME')
}

/** A `json:` name lists its keys in the order of a hash table; sorted, the same description is the same text. */
function sortJsonNames(text: string): string {
  let result = ''
  let rest = text
  for (let at = rest.indexOf('json:{'); at >= 0; at = rest.indexOf('json:{')) {
    const start = at + 'json:'.length
    const end = endOfObject(rest, start)
    result += rest.slice(0, start) + sortKeys(rest.slice(start, end))
    rest = rest.slice(end)
  }
  return result + rest
}

/** Index behind the object that opens at `start`; braces in strings do not count. The end of the text if it stays open. */
function endOfObject(text: string, start: number): number {
  let depth = 0
  let inString = false
  for (let i = start; i < text.length; i++) {
    const letter = text.charAt(i)
    if (inString) {
      if (letter === '\\') i++
      else inString = letter !== '"'
      continue
    }
    if (letter === '"') inString = true
    if (letter === '{') depth++
    if (letter === '}' && --depth === 0) return i + 1
  }
  return text.length
}

function sortKeys(json: string): string {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    // Cut off or not JSON: shown as it came, so that the comparison tells.
    if (error instanceof SyntaxError) return json
    throw error
  }
  return spaced(value)
}

/** JSON on one line with a space after `,` and `:`, as the tools print it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${spaced(member)}`).join(', ')}}`
}
