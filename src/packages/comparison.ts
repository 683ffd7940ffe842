import type { Package } from './package.ts'

/** A package that two images do not have alike. */
export interface PackageChange {
  readonly kind: string
  readonly name: string
  /** Its versions in each; none where it is not there. */
  readonly from: readonly string[]
  readonly to: readonly string[]
  /** Bytes by which it grew, or shrank; undefined where sizes are not known. */
  readonly growth: number | undefined
}

/** What becomes of packages from one image to another, by name. */
export function comparePackages(from: readonly Package[], to: readonly Package[]): PackageChange[] {
  const [before, after] = [byName(from), byName(to)]
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((key) => change(before.get(key) ?? [], after.get(key) ?? []))
    .filter((each) => each !== undefined)
}

function change(from: readonly Package[], to: readonly Package[]): PackageChange | undefined {
  const [before, after] = [versionsOf(from), versionsOf(to)]
  if (before.join('\n') === after.join('\n')) return undefined
  const { kind, name } = (to[0] ?? from[0])!
  const [sizeBefore, sizeAfter] = [sizeOf(from), sizeOf(to)]
  const growth = sizeBefore === undefined || sizeAfter === undefined ? undefined : sizeAfter - sizeBefore
  return { kind, name, from: before, to: after, growth }
}

/** Bytes of all of them; undefined where some do not say. */
export function sizeOf(packages: readonly Package[]): number | undefined {
  let sum = 0
  for (const { size } of packages) {
    if (size === undefined) return undefined
    sum += size
  }
  return sum
}

const versionsOf = (packages: readonly Package[]): string[] => packages.map(({ version }) => version).sort()

function byName(packages: readonly Package[]): Map<string, Package[]> {
  const named = new Map<string, Package[]>()
  for (const each of packages) {
    const key = `${each.name}\n${each.kind}`
    const known = named.get(key)
    if (known) known.push(each)
    else named.set(key, [each])
  }
  return named
}
