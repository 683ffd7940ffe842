import { RefusedLogin } from './refused-login.ts'

/** A provider's host that gives no answer. */
export class Unreachable extends Error {
  constructor(host: string, cause: unknown) {
    super(`${host} cannot be reached`, { cause })
  }
}

interface Named {
  readonly label: string
  readonly settings: { readonly name: string }
}

/** The errors of openid-client, as far as they are told apart. */
interface ProviderAnswer {
  readonly code?: unknown
  /** OAuth's word (RFC 6749, 4.1.2.1 and 5.2). */
  readonly error?: unknown
  readonly error_description?: unknown
  readonly status?: unknown
}

const bodyError = 'OAUTH_RESPONSE_BODY_ERROR'
const challenge = 'OAUTH_WWW_AUTHENTICATE_CHALLENGE'
const saidNo = 'OAUTH_AUTHORIZATION_RESPONSE_ERROR'

/** What an error of speaking with a provider means: for the person, and with all there is to know for the operator. */
export function refusalOf(error: unknown, { label, settings: { name } }: Named): RefusedLogin {
  if (error instanceof RefusedLogin) return error
  const { code, error: word, status } = error as ProviderAnswer
  const told = `provider ${name}: ${describe(error)}`
  if (code === saidNo && word === 'access_denied') {
    return new RefusedLogin('refused there', `${label} did not let you go on here: you, or its rules, said no`, {
      told,
    })
  }
  if (code === saidNo) {
    const message = `${label} ended the login with the word ${wordOf(word)}: try again, or tell who looks after this registry`
    return new RefusedLogin('refused there', message, { told })
  }
  if (code === bodyError && word === 'invalid_grant') {
    const message = `${label} takes this login no more: it took too long, or was used already. Log in once more`
    return new RefusedLogin('not begun here', message, { told })
  }
  const isUnknown =
    word === 'invalid_client' || word === 'unauthorized_client' || (code === challenge && status === 401)
  if (isUnknown) {
    const message = `${label} does not know this registry, or not by the secret it has: tell who looks after it`
    const hint = 'look at clientId and clientSecretFile of access.oidc'
    return new RefusedLogin('provider trouble', message, { told: `${told}; ${hint}`, cause: error })
  }
  if (causesOf(error).some((cause) => cause instanceof Unreachable)) {
    const message = `${label} cannot be reached now: try again in a moment`
    return new RefusedLogin('provider trouble', message, { told, cause: error })
  }
  const message = `${label} gave an answer that is not right: tell who looks after this registry`
  return new RefusedLogin('provider trouble', message, { told, cause: error })
}

/** Messages of an error and its causes, and what the provider said. What it sent besides is not looked at: tokens are in it. */
function describe(error: unknown): string {
  const { error: word, error_description: description } = error as ProviderAnswer
  const said = [word, description].filter((part) => typeof part === 'string')
  const messages = causesOf(error).map((cause) => {
    const { code } = cause as { code?: unknown }
    return cause.message === '' && typeof code === 'string' ? code : cause.message
  })
  return printable([...messages, ...said].join(': '))
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let next = error; next instanceof Error && causes.length < 5; next = next.cause) causes.push(next)
  return causes
}

function wordOf(word: unknown): string {
  return typeof word === 'string' && /^[a-z_]{1,40}$/.test(word) ? word : 'error'
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 500)
}
