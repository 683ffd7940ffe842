import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Asset {
  readonly type: string
  readonly body: Uint8Array<ArrayBuffer>
}

const types: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** The style sheet, the scripts and the icon, under names that hold a hash of them: a browser may keep each for ever. */
export class Assets {
  readonly #byUrl = new Map<string, Asset>()
  readonly #urls = new Map<string, string>()

  constructor() {
    const folder = fileURLToPath(new URL('./assets/', import.meta.url))
    for (const name of readdirSync(folder)) {
      const body = new Uint8Array(readFileSync(folder + name))
      const [stem, ending = ''] = name.split('.')
      const url = `/assets/${stem}.${createHash('sha256').update(body).digest('hex').slice(0, 12)}.${ending}`
      this.#byUrl.set(url, { type: types[ending] ?? 'application/octet-stream', body })
      this.#urls.set(name, url)
    }
  }

  /** Where a file of the folder is served. */
  url(name: string): string {
    return this.#urls.get(name)!
  }

  find(url: string): Asset | undefined {
    return this.#byUrl.get(url)
  }
}
