// Plain JavaScript: the transfer thread needs it, too.

/**
 * The code of an error or of the cause it wraps (undici wraps sockets' errors, Node several addresses' errors).
 * @param {unknown} error
 * @returns {string | undefined}
 */
export function codeOf(error) {
  for (let e = error, depth = 0; e instanceof Error && depth < 5; depth++) {
    const { code, errors, cause } = /** @type {{ code?: unknown, errors?: unknown[], cause?: unknown }} */ (e)
    if (typeof code === 'string') return code
    e = Array.isArray(errors) ? errors[0] : cause
  }
  return undefined
}
