import type { Reference, RepositoryName } from '../oci/reference.ts'

/** The page of a repository. One whose last component but one is `t` ends with a slash, to be told from a tag's page. */
export function repositoryPath(name: RepositoryName): string {
  return `/r/${name}${/(?:^|\/)t\/[^/]+$/.test(name) ? '/' : ''}`
}

/** The page of a tag or a digest. */
export function imagePath(name: RepositoryName, reference: Reference): string {
  return `/r/${name}/t/${reference}`
}

export type PageTarget = { name: string; reference: string | undefined }

/** What follows `/r/`, read: the last `/t/` parts name and reference. */
export function parseTarget(path: string): PageTarget {
  const [, name, reference] = /^(.*)\/t\/([^/]+)$/.exec(path) ?? []
  if (name !== undefined && reference !== undefined) return { name, reference }
  return { name: path.replace(/\/$/, ''), reference: undefined }
}

/** The query of a link: what is empty, or as it would be anyway, is left out. */
export function query(
  values: Record<string, string | number | undefined>,
  usual: Record<string, string | number> = {},
): string {
  const pairs = Object.entries(values).filter(
    ([key, value]) => value !== undefined && value !== '' && value !== usual[key],
  )
  return pairs.length === 0
    ? ''
    : `?${new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, String(value)])).toString()}`
}

/** A path of this server, shorter than 1,000 characters: whoever made the link must not choose where a login leads. */
export function pathHere(next: string): string {
  const here = 'http://here.invalid'
  if (!next.startsWith('/') || next.length > 1_000 || !URL.canParse(next, here)) return '/'
  const url = new URL(next, here)
  // A path that begins with two slashes would name a server: /.//elsewhere comes to one.
  return url.origin === here && !url.pathname.startsWith('//') ? url.pathname + url.search : '/'
}
