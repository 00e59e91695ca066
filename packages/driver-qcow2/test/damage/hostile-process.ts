/** `node hostile-process.ts IMAGE…`: checks and mends images, and prints after each how much memory it took at most. */

import { checkByOurs } from './ours.ts'

for (const path of process.argv.slice(2)) {
  await checkByOurs(path, false, 0)
  await checkByOurs(path, true, 0)
  // What one image has left behind is not the next one's.
  globalThis.gc?.()
  console.log(process.resourceUsage().maxRSS / 1024)
}
