/** What the tidy rules need to know of a file's syntax; comments and strings cannot mislead a parser. */
import ts from 'typescript'
import type { SourceFile } from './files.ts'

/**
 * Whether the file holds anything that runs: a function with a body, or a class.
 *
 * Types, constants and re-exports have no behaviour of their own for a test to show.
 */
export function hasLogic(file: SourceFile): boolean {
  let found = false
  walk(file, (node) => {
    if (ts.isClassLike(node)) found = true
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) found = true
  })
  return found
}

/** Every string literal in the file, as the program sees it. */
export function stringLiterals(file: SourceFile): Set<string> {
  const literals = new Set<string>()
  walk(file, (node) => {
    if (ts.isStringLiteralLike(node)) literals.add(node.text)
  })
  return literals
}

/** Modules whose symbols the file hands on under its own name (`export … from 'module'`). */
export function reexportedModules(file: SourceFile): string[] {
  const modules: string[] = []
  walk(file, (node) => {
    if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      modules.push(node.moduleSpecifier.text)
    }
  })
  return modules
}

/** Fixed parts of every message that the file gives to a `BlockError`, one list for each message. */
export function errorMessages(file: SourceFile): string[][] {
  const messages: string[][] = []
  walk(file, (node) => {
    const message = messageArgument(node)
    if (message !== undefined) messages.push(...fixedParts(message))
  })
  return messages
}

function messageArgument(node: ts.Node): ts.Expression | undefined {
  if (ts.isNewExpression(node) && node.expression.getText() === 'BlockError') return node.arguments?.[1]
  if (!ts.isCallExpression(node)) return undefined
  return node.expression.getText() === 'BlockError.withErrno' ? node.arguments[1] : undefined
}

/** The parts of a message that are the same each time; a conditional message counts as two. */
function fixedParts(message: ts.Expression): string[][] {
  if (ts.isStringLiteralLike(message)) return [[message.text]]
  if (ts.isTemplateExpression(message)) {
    return [[message.head.text, ...message.templateSpans.map((span) => span.literal.text)]]
  }
  if (ts.isConditionalExpression(message)) return [...fixedParts(message.whenTrue), ...fixedParts(message.whenFalse)]
  if (ts.isBinaryExpression(message)) return [[...fixedParts(message.left), ...fixedParts(message.right)].flat()]
  return []
}

function walk(file: SourceFile, visit: (node: ts.Node) => void): void {
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true)
  const step = (node: ts.Node): void => {
    visit(node)
    node.forEachChild(step)
  }
  step(tree)
}
