// What is attached to images as JSON: lists of packages in SPDX and CycloneDX, provenance, alone or as in-toto statements in
// the envelopes of cosign and of Sigstore's bundles. Whatever is not of the form it should be is left out.
import { Buffer } from 'node:buffer'
import { mostPackages, packageOf, short, Unreadable } from './databases.js'

/** @typedef {import('./package.ts').AttachedDocument} AttachedDocument */
/** @typedef {import('./package.ts').Package} Package */
/** @typedef {Record<string, unknown>} Json */

/** How deep components of CycloneDX lie in one another. */
const deepest = 4
const mostSubjects = 50
/** Values in one document. Each takes memory, however short it is: a JSON parser is not stopped by what a thread may take. */
const mostValues = 1_500_000

/**
 * Undefined for what is of no form that is read here.
 * @param {Uint8Array} bytes
 * @returns {AttachedDocument | undefined}
 */
export function readDocument(bytes) {
  const json = parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString())
  return json && read(unwrapped(json))
}

/** The payload of a DSSE envelope, which a bundle may be around. @param {Json} json @returns {Json} */
function unwrapped(json) {
  const envelope = object(json.dsseEnvelope) ?? json
  if (typeof envelope.payload !== 'string') return json
  return parse(Buffer.from(envelope.payload, 'base64').toString()) ?? json
}

/** @param {Json} json @returns {AttachedDocument | undefined} */
function read(json) {
  const type = text(json.predicateType)
  if (type === undefined) return readBill(json, [])
  const about = subjectsOf(json)
  const predicate = object(json.predicate) ?? {}
  // Older cosigns put the document in there as a text.
  const inner =
    typeof predicate.Data === 'string' ? (parse(predicate.Data) ?? {}) : (object(predicate.Data) ?? predicate)
  if (/slsa\.dev\/provenance/.test(type)) return readProvenance(predicate, about)
  return readBill(inner, about) ?? { kind: 'statement', type: short(type), about }
}

/** @param {Json} json @returns {string[]} */
function subjectsOf(json) {
  return list(json.subject)
    .slice(0, mostSubjects)
    .flatMap((subject) => Object.entries(object(object(subject)?.digest) ?? {}))
    .map(([algorithm, hex]) => `${algorithm}:${String(hex)}`)
}

/** @param {Json} json @param {string[]} about @returns {AttachedDocument | undefined} */
function readBill(json, about) {
  const spdx = text(json.spdxVersion)
  if (spdx !== undefined)
    return { kind: 'SBOM', format: short(spdx.replace('-', ' ')), packages: spdxPackages(json), about }
  if (json.bomFormat !== 'CycloneDX') return undefined
  const format = short(`CycloneDX ${text(json.specVersion) ?? ''}`.trim())
  return { kind: 'SBOM', format, packages: componentsOf(json.components, deepest).slice(0, mostPackages), about }
}

/** spdx-spec 2, package-information. @param {Json} json @returns {Package[]} */
function spdxPackages(json) {
  const described = new Set(list(json.documentDescribes))
  for (const each of list(json.relationships)) {
    const relationship = object(each)
    if (relationship?.relationshipType === 'DESCRIBES') described.add(relationship.relatedSpdxElement)
  }
  const found = list(json.packages)
    .slice(0, mostPackages)
    .map((value) => {
      const item = object(value) ?? {}
      const references = list(item.externalRefs).map((each) => object(each) ?? {})
      const purl = text(references.find(({ referenceType }) => referenceType === 'purl')?.referenceLocator)
      // The image itself is a package there.
      if (!purl && described.has(item.SPDXID)) return undefined
      return isImage(purl) ? undefined : packageOf(typeOf(purl), text(item.name), text(item.versionInfo), NaN)
    })
  return found.filter((each) => each !== undefined)
}

/** @param {unknown} components @param {number} depth @returns {Package[]} */
function componentsOf(components, depth) {
  if (depth === 0) return []
  return list(components)
    .slice(0, mostPackages)
    .flatMap((value) => {
      const item = object(value) ?? {}
      const inner = componentsOf(item.components, depth - 1)
      if (item.type !== 'library' && item.type !== 'application' && item.type !== 'framework') return inner
      const purl = text(item.purl)
      const group = text(item.group)
      const name = text(item.name)
      const whole = group === undefined || name === undefined ? name : `${group}/${name}`
      const found = packageOf(typeOf(purl), whole, text(item.version), installedSize(item))
      return found && !isImage(purl) ? [found, ...inner] : inner
    })
}

/** In bytes, as Syft notes it. @param {Json} component */
function installedSize({ properties }) {
  const sizes = list(properties).map((each) => object(each) ?? {})
  const known = sizes.find(({ name }) => typeof name === 'string' && /(?:^|:)installedSize$/i.test(name))
  return known ? Number(known.value) : NaN
}

/**
 * SLSA provenance, versions 0.1 to 1, as GitHub's and BuildKit's builders write it.
 * @param {Json} predicate
 * @param {string[]} about
 * @returns {AttachedDocument}
 */
function readProvenance(predicate, about) {
  const definition = object(predicate.buildDefinition) ?? {}
  const details = object(predicate.runDetails) ?? {}
  const parameters = object(definition.externalParameters) ?? {}
  const workflow = object(parameters.workflow) ?? {}
  const metadata = object(predicate.metadata) ?? {}
  const buildkit = object(metadata['https://mobyproject.org/buildkit@v1#metadata'])
  const vcs = object(buildkit?.vcs) ?? object(object(object(details.metadata)?.buildkit_metadata)?.vcs) ?? {}
  const config = object(parameters.configSource) ?? object(object(predicate.invocation)?.configSource) ?? {}
  const material = object(list(definition.resolvedDependencies)[0]) ?? object(list(predicate.materials)[0]) ?? {}
  const from = config.uri === undefined ? material : config
  const builder = text(object(details.builder)?.id) ?? text(object(predicate.builder)?.id)
  const source = text(vcs.source) ?? text(workflow.repository) ?? text(from.uri)
  const revision = text(vcs.revision) ?? text(workflow.ref) ?? commitIn(from)
  const cut = (/** @type {string | undefined} */ value) => (value === undefined ? undefined : short(value))
  return { kind: 'provenance', builder: cut(builder), source: cut(source), revision: cut(revision), about }
}

/** @param {Json} source */
function commitIn({ digest }) {
  const digests = object(digest) ?? {}
  return text(digests.gitCommit) ?? text(digests.sha1)
}

/** @param {string | undefined} purl */
const typeOf = (purl) => /^pkg:([a-z0-9.+-]+)\//i.exec(purl ?? '')?.[1]?.toLowerCase() ?? ''
/** @param {string | undefined} purl */
const isImage = (purl) => ['oci', 'docker'].includes(typeOf(purl))

/** @param {string} source @returns {Json | undefined} */
function parse(source) {
  let values = 0
  for (let i = 0; i < source.length; i++) {
    const code = source.charCodeAt(i)
    // A comma, [ or {: each begins a value.
    if (code === 0x2c || code === 0x5b || code === 0x7b) values++
  }
  if (values > mostValues) throw new Unreadable('it has more values than a list of packages has')
  try {
    return object(JSON.parse(source))
  } catch {
    return undefined
  }
}

/** @param {unknown} value @returns {Json | undefined} */
function object(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? /** @type {Json} */ (value) : undefined
}

/** @param {unknown} value @returns {unknown[]} */
const list = (value) => (Array.isArray(value) ? /** @type {unknown[]} */ (value) : [])
/** @param {unknown} value */
const text = (value) => (typeof value === 'string' && value !== '' ? value : undefined)
