import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'

/** The files below a folder that this process has open, its threads' included; removed ones end in ` (deleted)`. */
export function openFilesIn(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`)
      return file.startsWith(`${folder}/`) ? [file] : []
    } catch {
      // Closed between the two looks.
      return []
    }
  })
}

/** Resolves when `check` holds. For what tells nobody when it changes (descriptors, files); throws `what()` after `deadline` ms. */
export async function eventually(check: () => boolean, what: () => string, deadline = 15_000): Promise<void> {
  for (const end = Date.now() + deadline; !check(); await after(5)) {
    if (Date.now() > end) throw new Error(`not within ${deadline} ms: ${what()}`)
  }
}
