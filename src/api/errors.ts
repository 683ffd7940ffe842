import { RegistryError } from '../oci/errors.ts'

/** The one place where an error becomes an answer. What is no RegistryError is a fault of ours: said so, and nothing more. */
export function errorAnswer(error: unknown): { status: number; headers: Record<string, string>; body: string } {
  const known =
    error instanceof RegistryError
      ? error
      : new RegistryError('UNKNOWN', 'internal error; the log of the server says more')
  const { code, message, detail, status } = known
  const body = JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] })
  return { status, headers: { ...known.headers, 'Content-Type': 'application/json' }, body }
}
