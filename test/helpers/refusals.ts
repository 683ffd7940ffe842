import { RegistryError, type ErrorCode } from '../../src/oci/errors.ts'

/** The code of the RegistryError that `act` throws; undefined when it throws nothing. Any other error goes on. */
export function refusalOf(act: () => unknown): ErrorCode | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof RegistryError) return error.code
    throw error
  }
}
