import type { Descriptor } from '../oci/descriptor.ts'

/** What an image's config says, as far as it is of the form it should be (image-spec, config.md). All of it is untrusted text. */
export interface ImageConfig {
  readonly created: string | undefined
  readonly platform: string | undefined
  readonly user: string | undefined
  readonly workingDir: string | undefined
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** `NAME=value`. */
  readonly env: readonly string[]
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
  readonly stopSignal: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly history: readonly HistoryEntry[]
}

export interface HistoryEntry {
  readonly command: string
  readonly created: string | undefined
  /** It changed no file, and so made no layer. */
  readonly empty: boolean
}

export interface Layer {
  readonly descriptor: Descriptor
  /** What made it, where the history says so. */
  readonly command: string | undefined
  readonly created: string | undefined
}

/** Of what one image has many of no more is read: real ones have tens, and a page of a hundred thousand lines keeps all from being served. */
export const mostListed = 1_000
/** A config larger than this is not read, in bytes: real ones are of some KiB. */
export const largestConfig = 4 * 1024 * 1024

/** Whether a manifest's config is one that can be read here: artifacts have others. */
export function isConfigOfImage({ mediaType, size }: Descriptor): boolean {
  return isTypeOfImageConfig(mediaType) && size <= largestConfig
}

export function isTypeOfImageConfig(mediaType: string): boolean {
  return /^application\/vnd\.(?:oci|docker)\..*(?:config|container\.image)/.test(mediaType)
}

/** Undefined for a config that is none of an image: artifacts have others. */
export function readConfig(bytes: Uint8Array): ImageConfig | undefined {
  const json = parse(bytes)
  if (!json) return undefined
  const config = object(json.config) ?? {}
  const parts = [text(json.os), text(json.architecture), text(json.variant)].filter((part) => part)
  return {
    created: text(json.created),
    platform: parts.length > 0 ? parts.join('/') : undefined,
    user: text(config.User),
    workingDir: text(config.WorkingDir),
    entrypoint: texts(config.Entrypoint),
    cmd: texts(config.Cmd),
    env: texts(config.Env),
    ports: keys(config.ExposedPorts),
    volumes: keys(config.Volumes),
    stopSignal: text(config.StopSignal),
    labels: textValues(object(config.Labels) ?? {}),
    history: list(json.history).map(historyEntry),
  }
}

/** Gives each layer the command that made it: the entries of the history that are not empty, in their order. */
export function layersWithHistory(layers: readonly Descriptor[], config: ImageConfig | undefined): Layer[] {
  const makers = config?.history.filter(({ empty }) => !empty) ?? []
  // A history that does not fit says nothing of any layer.
  const fits = makers.length === layers.length
  return layers.map((descriptor, index) => ({
    descriptor,
    command: fits ? makers[index]!.command : undefined,
    created: fits ? makers[index]!.created : undefined,
  }))
}

function historyEntry(value: unknown): HistoryEntry {
  const entry = object(value) ?? {}
  return {
    command: command(text(entry.created_by) ?? ''),
    created: text(entry.created),
    empty: entry.empty_layer === true,
  }
}

/** As it stood in the Dockerfile, without what the old builder put around it. */
function command(createdBy: string): string {
  const plain = createdBy.replace(/^\/bin\/sh -c #\(nop\)\s+/, '').replace(/^\/bin\/sh -c /, 'RUN ')
  // No expression for both: with blanks in millions it would take hours.
  return plain.endsWith(byBuildkit) ? plain.slice(0, -byBuildkit.length).trimEnd() : plain
}

const byBuildkit = '# buildkit'

function parse(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    return object(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    return undefined
  }
}

function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, mostListed) : [])
const keys = (value: unknown): string[] => Object.keys(object(value) ?? {}).slice(0, mostListed)
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const texts = (value: unknown): string[] => list(value).filter((item) => typeof item === 'string')
const textValues = (value: Record<string, unknown>): Record<string, string> => {
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(entries.slice(0, mostListed))
}
