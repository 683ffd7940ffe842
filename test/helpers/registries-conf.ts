import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The registries.conf of podman, skopeo and buildah that makes Berth (`host`: address and port) the mirror of docker.io, as README
 * tells it. A mirror cannot be given a scheme: `insecure` permits plain HTTP.
 */
export function writeRegistriesConf(folder: string, host: string): string {
  const file = join(folder, 'registries.conf')
  const lines = [
    'unqualified-search-registries = ["docker.io"]',
    '[[registry]]',
    'location = "docker.io"',
    '[[registry.mirror]]',
    `location = "${host}/docker.io"`,
    'insecure = true',
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
