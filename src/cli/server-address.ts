/** Reads the address of a server: its origin alone. A text where it is none, which says what was wanted. */
export function parseServer(text: string): URL | string {
  const wanted = 'must be an address such as https://registry.example.com'
  if (!URL.canParse(text)) return wanted
  const url = new URL(text)
  const { protocol, hostname, username, password, pathname, search, hash } = url
  if (username + password !== '') return `${wanted}, without a user: berth login asks for one`
  if (pathname + search + hash !== '/') return `${wanted}, without a path`
  if (protocol === 'https:') return url
  if (protocol !== 'http:') return wanted
  return isLoopback(hostname) ? url : `${wanted}: plain http:// is for this machine alone, for a token goes over it`
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
}
