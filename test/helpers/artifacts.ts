import { gzipSync } from 'node:zlib'
import { makeBytes } from './bytes.ts'
import type { RepositorySpec } from './content.ts'
import { mediaTypes } from './manifest-spec.ts'
import { makeTar } from './tar.ts'

/** A chart that `helm pull` and `helm template` take. Its manifest has no `mediaType` in it, as Helm writes it. */
export function helmChart(name = 'hello', version = '0.1.0'): RepositorySpec {
  const chart = { apiVersion: 'v2', name, version, description: 'A chart for tests', type: 'application' }
  const yaml = Object.entries(chart).map(([key, value]) => `${key}: ${value}\n`)
  const files = makeTar([
    { path: `${name}/Chart.yaml`, content: yaml.join('') },
    { path: `${name}/values.yaml`, content: 'greeting: hello\n' },
    { path: `${name}/templates/configmap.yaml`, content: configMap },
  ])
  const layer = { of: 'chart', mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }
  const config = { of: 'config', mediaType: 'application/vnd.cncf.helm.config.v1+json' }
  return {
    blobs: { config: JSON.stringify(chart), chart: gzipSync(makeBytes(files).read()) },
    manifests: {
      manifest: {
        config,
        layers: [layer],
        withoutMediaType: true,
        annotations: { 'org.opencontainers.image.title': name, 'org.opencontainers.image.version': version },
      },
    },
    tags: { [version]: 'manifest' },
  }
}

const configMap = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  greeting: {{ .Values.greeting }}
`

/**
 * An artifact as `oras push` makes it, of a file and an empty file (a blob of no bytes), and two referrers of different
 * artifact types that have it as `subject`. Symbolic names: artifact, signature, sbom, file, nothing, empty.
 */
export function orasArtifact(tag = '1'): RepositorySpec {
  const config = { of: 'empty', mediaType: mediaTypes.ociEmpty }
  const file = (of: string, title: string) => ({
    of,
    mediaType: 'text/plain',
    annotations: { 'org.opencontainers.image.title': title },
  })
  const referrer = (artifactType: string, layer: string) => ({
    artifactType,
    config,
    layers: [file(layer, `${layer}.json`)],
    subject: 'artifact',
    annotations: { 'org.opencontainers.image.created': '2030-01-01T00:00:00Z' },
  })
  return {
    blobs: { empty: '{}', file: 'hello\n', nothing: '', signed: '{"signed":true}', packages: '{"packages":[]}' },
    manifests: {
      artifact: {
        artifactType: 'application/vnd.example.greeting',
        config,
        layers: [file('file', 'hello.txt'), file('nothing', 'empty.txt')],
      },
      signature: referrer('application/vnd.example.signature', 'signed'),
      sbom: referrer('application/vnd.example.sbom', 'packages'),
    },
    tags: { [tag]: 'artifact' },
  }
}
