/** Where this app is, whether it runs from its sources or from its build. */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The app's folder: the nearest one above this module that has a `package.json`. */
export const appFolder: string = folderAbove(import.meta.dirname)

function folderAbove(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (folder === dirname(folder)) throw new Error(`No package.json above ${start}`)
  }
}
