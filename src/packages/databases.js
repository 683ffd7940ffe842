// The databases in which package managers note what is installed. Plain JavaScript, for it runs on the thread.

/** @typedef {import('./package.ts').Package} Package */

/** What is wrong with content that comes from elsewhere, in words for people. */
export class Unreadable extends Error {}

/** The most packages of one list; real images have hundreds, some thousands. */
export const mostPackages = 20_000
const longest = 300

/** A text that is not to be longer than anybody reads. @param {string} text */
export const short = (text) => (text.length > longest ? `${text.slice(0, longest)}…` : text)

/**
 * dpkg's `status`, or a file of `status.d` (deb-control(5)): what is installed, and not what only its settings are left of.
 * @param {string} text
 * @returns {Package[]}
 */
export function readDpkg(text) {
  const found = paragraphs(text, /^([A-Za-z-]+):[ \t]*(.*)$/).map((fields) => {
    const status = fields.get('Status')
    const isInstalled = status === undefined || status.slice(status.lastIndexOf(' ') + 1) === 'installed'
    const size = Number(fields.get('Installed-Size'))
    return isInstalled ? packageOf('deb', fields.get('Package'), fields.get('Version'), size * 1024) : undefined
  })
  return found.filter((each) => each !== undefined)
}

/**
 * apk's `installed` (apk-tools, apk-package(5)).
 * @param {string} text
 * @returns {Package[]}
 */
export function readApk(text) {
  const found = paragraphs(text, /^([A-Za-z]):(.*)$/).map((fields) =>
    packageOf('apk', fields.get('P'), fields.get('V'), Number(fields.get('I'))),
  )
  return found.filter((each) => each !== undefined)
}

/**
 * The fields of each paragraph; the first of a name counts, and lines that continue one are left out.
 * @param {string} text
 * @param {RegExp} field
 */
function paragraphs(text, field) {
  /** @type {Map<string, string>[]} */
  const all = []
  /** @type {Map<string, string>} */
  let fields = new Map()
  for (const line of text.split('\n')) {
    if (line.trim() === '') {
      if (fields.size > 0) all.push(fields)
      fields = new Map()
      if (all.length >= mostPackages) break
    } else {
      const [, name, value] = line.length < 4096 ? (field.exec(line) ?? []) : []
      if (name !== undefined && value !== undefined && !fields.has(name)) fields.set(name, value.trim())
    }
  }
  if (fields.size > 0) all.push(fields)
  return all
}

/**
 * @param {string} kind
 * @param {string | undefined} name
 * @param {string | undefined} version
 * @param {number} size
 * @returns {Package | undefined}
 */
export function packageOf(kind, name, version, size) {
  if (!name) return undefined
  const known = Number.isSafeInteger(size) && size >= 0 ? { size } : {}
  return { kind: short(kind), name: short(name), version: short(version ?? ''), ...known }
}
