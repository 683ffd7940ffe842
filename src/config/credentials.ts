import { z } from 'zod'
import { listOf, oneOf, text } from './checks.ts'
import { group, option } from './option.ts'

const secret = { secret: true }
const provider = () => oneOf('ecr', 'google', 'azure').exactOptional()

/** How Berth logs in at an upstream: one way of several. */
export const credentials = group({
  username: option(text('a user name').exactOptional(), 'user name at the upstream'),
  password: option(text('a password or access token, as text').exactOptional(), 'its password or access token', secret),
  identityToken: option(
    text('an identity token').exactOptional(),
    'a refresh token, as `docker login` gets from some registries, instead of a password',
    secret,
  ),
  bearerToken: option(
    text('a token').exactOptional(),
    'a token sent as it is (Authorization: Bearer), instead of a password',
    secret,
  ),
  dockerConfig: option(
    text('a file').exactOptional(),
    'a Docker config.json that holds the login, or names the helper that does; read at each login',
  ),
  helper: option(
    text('a name such as ecr-login, or a path').exactOptional(),
    'a credential helper: the program docker-credential-<name>, or the path of one',
  ),
  provider: option(provider(), 'the cloud whose own logins are used: ecr, google or azure, by its usual environment'),
  keyFile: option(
    text('a JSON key file').exactOptional(),
    'the service account key for google; without it the metadata server is asked',
    { file: true },
  ),
  region: option(text('an AWS region').exactOptional(), "region for ecr where the host's name does not say it"),
  tenant: option(text('a tenant').exactOptional(), 'tenant for azure; else AZURE_TENANT_ID'),
  clientId: option(text('a client id').exactOptional(), 'application for azure; else AZURE_CLIENT_ID'),
  clientSecret: option(
    text('a client secret').exactOptional(),
    'its secret; else AZURE_CLIENT_SECRET, a federated token or the managed identity',
    secret,
  ),
}).superRefine(checkWays, { when: () => true })

const account = group({
  name: text('a name for metrics and pages', /^[\w.-]+$/),
  repositories: listOf(text('a pattern such as library/*'), 'patterns of repositories').prefault(['**']),
  callers: listOf(text('a pattern such as ci-* or 10.0.3.*'), 'patterns of callers').prefault(['**']),
  username: text('a user name').exactOptional(),
  passwordFile: text('a file').exactOptional(),
  dockerConfig: text('a file').exactOptional(),
  helper: text('a name such as ecr-login, or a path').exactOptional(),
  provider: provider(),
  keyFile: text('a JSON key file').exactOptional(),
  region: text('an AWS region').exactOptional(),
}).superRefine(checkWays, { when: () => true })

export const accounts = option(
  listOf(account, 'accounts').prefault([]),
  'further logins, { name, repositories, callers } and how each logs in (passwordFile, not password): the first one that fits and has pulls left is used',
)

const ways = ['username', 'identityToken', 'bearerToken', 'dockerConfig', 'helper', 'provider'] as const

function checkWays(given: Record<string, unknown> | undefined, context: z.RefinementCtx): void {
  if (typeof given !== 'object' || given === null) return
  const chosen = ways.filter((way) => given[way] !== undefined)
  if (chosen.length !== 1) {
    const saw = chosen.length === 0 ? 'none' : chosen.join(' and ')
    context.addIssue({ code: 'custom', message: `one way to log in (${ways.join(', ')})`, params: { saw } })
  }
  const password = 'repositories' in given ? 'passwordFile' : 'password'
  if ((given.username === undefined) === (given[password] === undefined)) return
  const message = given.username === undefined ? 'left out without a username' : 'given with a username'
  context.addIssue({
    code: 'custom',
    path: [password],
    message,
    params: { saw: given.username === undefined ? 'one' : 'nothing' },
  })
}
