/** A recorder that also writes down the events that its node is told of, as blkdebug would hear them. */
import { defineDriver, type NodeSpec, nodeSpec } from '../../src/driver.ts'
import { type OpenRecorder, openSpec } from './open-recorder.ts'
import { type Recorder, recorderDriver } from './recorder.ts'

const listenerDriver = defineDriver<{ recorder: Recorder }, never>({
  formatName: 'listener',
  kind: 'protocol',
  options: { recorder: { name: 'recorder', type: 'string', help: 'only in code' } },
  async open(context, options) {
    const layer = await recorderDriver.open(context, options)
    return Object.create(layer, {
      debug: {
        value: {
          event: (event: string) => options.recorder.note(`event ${event}`),
          setBreakpoint: (event: string, tag: string) => options.recorder.note(`break ${event} ${tag}`),
          removeBreakpoint: (tag: string) => options.recorder.note(`remove_break ${tag}`),
          resume: (tag: string) => options.recorder.note(`resume ${tag}`),
          isSuspended: (tag: string) => tag === 'D',
          untilSuspended: (tag: string) => options.recorder.note(`wait_break ${tag}`),
        },
      },
    })
  },
})

/** Describes a node over `recorder` that listens. */
export function listen(recorder: Recorder): NodeSpec {
  return nodeSpec(listenerDriver, { recorder })
}

/** Opens `recorder` as a node that listens. */
export function openListener(recorder: Recorder): Promise<OpenRecorder> {
  return openSpec(listen(recorder))
}
