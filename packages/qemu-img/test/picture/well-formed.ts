/** A small judge of XML: elements close in order, attributes are quoted, and no `<` or `&` stands alone. */

/** What is wrong with a document; empty: nothing. */
export function wellFormed(text: string): string {
  const open: string[] = []
  const token =
    /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?::[a-z]+)?="[^"<]*")*)\s*(\/?)>|&(?:amp|lt|gt|quot|#39);|[^<&]+|[\s\S]/giy
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [whole, closing, name, , empty] = match
    if (name === undefined) {
      if (whole === '<' || whole === '&')
        return `a lone ${whole} at ${match.index}: ${text.slice(match.index, match.index + 40)}`
    } else if (closing === '/') {
      if (open.pop() !== name) return `${name} is closed at ${match.index} and was not open`
    } else if (empty !== '/') open.push(name)
  }
  return open.join(', ')
}
