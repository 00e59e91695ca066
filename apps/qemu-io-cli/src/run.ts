/** The tool from its arguments to its exit status. */

import { CommandFailure } from '@blocklayer/qemu-io'
import { type Invocation, parseInvocation } from './invocation.ts'
import type { ToolCall } from './tool-call.ts'

/** Runs one command line and gives its exit status; whatever goes wrong has been printed by then. */
export async function runTool(call: ToolCall): Promise<number> {
  const { programName, terminal } = call
  try {
    const invocation = parseInvocation(call.args)
    if (invocation.kind !== 'session') return await printTexts(call, invocation)
    // Nearly all of the program, which who asks for its version does not wait for.
    const { runSession } = await import('./run-session.ts')
    return await runSession(call, invocation.session)
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    const { Session, tellFailure } = await import('@blocklayer/qemu-io')
    tellFailure(new Session({ output: terminal, programName }), error)
    return 1
  } finally {
    terminal.flush()
  }
}

async function printTexts(
  { programName, terminal }: ToolCall,
  invocation: Exclude<Invocation, { readonly kind: 'session' }>,
): Promise<number> {
  const { kind } = invocation
  const { helpText, versionText } = await import('./help.ts')
  if (kind === 'text') terminal.out(invocation.text)
  else if (kind === 'version') terminal.out(versionText())
  else if (kind === 'man') terminal.out((await import('./manual.ts')).manText(programName))
  else if (kind === 'completion') {
    const { completionText } = await import('./manual.ts')
    terminal.out(completionText(invocation.shell, programName))
  } else terminal.out(helpText(programName))
  if (invocation.kind !== 'usage') return 0
  if (invocation.complaint !== undefined) terminal.err(`${programName}: ${invocation.complaint}\n`)
  return 1
}
