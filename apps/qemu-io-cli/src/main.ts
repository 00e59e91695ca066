/** What is started: it turns the cache of compiled code on before there is anything to compile. */

import module from 'node:module'

// Node 20 has no such cache.
module.enableCompileCache?.()

await import('./program.ts')
