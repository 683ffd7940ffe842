import type { ImageConfig } from './image-config.ts'
import type { Image } from './images.ts'

/** A line that two images do not share: what it was, and what it is; undefined where it is not there. */
export interface Change {
  readonly what: string
  readonly from: string | undefined
  readonly to: string | undefined
}

export type LayerChange = Image['layers'][number] & { readonly side: 'from' | 'to' | 'both' }

export interface Difference {
  /** Bytes. */
  readonly fromSize: number
  readonly toSize: number
  /** Bytes of layers that a host with the first one need not pull again. */
  readonly sharedSize: number
  /** Those of both in order, then what only one has. */
  readonly layers: readonly LayerChange[]
  readonly config: readonly Change[]
}

/** What an update from one image to another changes. */
export function difference(from: Image, to: Image): Difference {
  const inFrom = new Set(from.layers.map(({ descriptor }) => descriptor.digest))
  const inTo = new Set(to.layers.map(({ descriptor }) => descriptor.digest))
  const side = (layers: Image['layers'], keep: (digest: string) => boolean, side: LayerChange['side']) =>
    layers.filter(({ descriptor }) => keep(descriptor.digest)).map((layer): LayerChange => ({ ...layer, side }))
  const shared = side(to.layers, (digest) => inFrom.has(digest as never), 'both')
  return {
    fromSize: from.size,
    toSize: to.size,
    sharedSize: shared.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    layers: [
      ...shared,
      ...side(from.layers, (digest) => !inTo.has(digest as never), 'from'),
      ...side(to.layers, (digest) => !inFrom.has(digest as never), 'to'),
    ],
    config: changes(linesOf(from.config), linesOf(to.config)),
  }
}

function changes(from: Map<string, string>, to: Map<string, string>): Change[] {
  const keys = new Set([...from.keys(), ...to.keys()])
  return [...keys]
    .map((what) => ({ what, from: from.get(what), to: to.get(what) }))
    .filter((change) => change.from !== change.to)
}

function linesOf(config: ImageConfig | undefined): Map<string, string> {
  const lines = new Map<string, string>()
  if (!config) return lines
  const put = (what: string, value: string | undefined) => value && lines.set(what, value)
  put('created', config.created)
  put('user', config.user)
  put('working directory', config.workingDir)
  put('entrypoint', JSON.stringify(config.entrypoint))
  put('command', JSON.stringify(config.cmd))
  put('ports', config.ports.join(', '))
  put('volumes', config.volumes.join(', '))
  put('stop signal', config.stopSignal)
  for (const line of config.env) put(`env ${line.split('=', 1)[0]}`, line.slice(line.indexOf('=') + 1))
  for (const [label, value] of Object.entries(config.labels)) put(`label ${label}`, value)
  return lines
}
