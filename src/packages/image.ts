import type { Database, LayerFindings, Package } from './package.ts'

/** What the layers of an image, the lowest first, leave of packages, and which databases nobody read. */
export function packagesIn(layers: readonly LayerFindings[]): { packages: Package[]; unread: Database[] } {
  const databases = new Map<string, Database>()
  for (const { removed, databases: added } of layers) {
    for (const path of databases.keys()) if (removed.some((gone) => isGone(path, gone))) databases.delete(path)
    for (const database of added) databases.set(database.path, database)
  }
  const all = [...databases.values()]
  return {
    packages: all.flatMap(({ packages }) => packages),
    unread: all.filter(({ unread }) => unread !== undefined),
  }
}

/** `gone` is a path, a folder, or a folder with a slash for what is in it. */
function isGone(path: string, gone: string): boolean {
  if (gone === '' || gone.endsWith('/')) return path.startsWith(gone)
  return path === gone || path.startsWith(`${gone}/`)
}
