// The settings: one YAML file, every key also as an environment variable. options.ts and upstreams.ts declare each
// option once; everything else here reads, merges, checks and shows what they declare.
export { loadConfig, type ConfigSources } from './load.ts'
export { ConfigError } from './mistakes.ts'
export { formatConfig } from './format.ts'
export { configJsonSchema } from './schema.ts'
export { parseDuration } from './quantity.ts'
export { optionTable, type Option } from './table.ts'
export type { Config, UpstreamConfig } from './options.ts'
