import { listOf, oneOf, text } from './checks.ts'
import { claims, issuer } from './claims.ts'
import { oidc } from './oidc.ts'
import { defaultGroup, group, option } from './option.ts'

const names = () =>
  listOf(text('a user, an organization, users or anyone'), 'users and organizations, users or anyone').exactOptional()

const rule = group({
  match: text('a pattern of a repository such as team/* or ghcr.io/org/**'),
  pull: names(),
  private: names(),
  push: names(),
  delete: names(),
  administer: names(),
})

const workload = group({
  issuer: issuer(),
  audience: text('what the tokens are for, such as the URL of this registry'),
  claims: claims(),
  as: text('a user or an organization'),
  scopes: listOf(
    text('PATTERN:ACTION,ACTION such as team/*:pull,push', /^[a-z0-9._*/-]+:(pull|push|delete)(,(pull|push|delete))*$/),
    'PATTERN:ACTION,ACTION',
  ),
})

/** The options of who may do what. */
export const access = defaultGroup({
  anonymous: option(
    oneOf('pull', 'push', 'none').prefault('pull'),
    'what clients that did not log in may do; push, which allows all, is for tests and laptops',
  ),
  user: group({
    username: option(text('a user name without a colon', /^[^:]+$/), 'an admin, besides the users of `berth user`'),
    password: option(text('a password, as text'), 'the password', { secret: true }),
  }).exactOptional(),
  htpasswdFile: option(
    text('a file of NAME:HASH lines').exactOptional(),
    'more users, with bcrypt hashes (htpasswd -B); read again when it changes',
    { file: true },
  ),
  private: option(
    oneOf('login', 'open').prefault('login'),
    'who may pull what an upstream shows only to our credentials: admins and whom access.policy names, or all (open)',
  ),
  policy: option(
    listOf(rule, '{ match, pull, private, push, delete, administer }').prefault([]),
    'who may do each action, by pattern of REPOSITORY or UPSTREAM/REPOSITORY: the first rule that fits and names the action decides',
  ),
  oidc,
  workloads: option(
    listOf(workload, '{ issuer, audience, claims, as, scopes }').prefault([]),
    'CI jobs that log in as oidc with an ID token, the first that fits: { issuer, audience, claims: { CLAIM: pattern }, as: a user or organization, scopes: [PATTERN:ACTION,ACTION] }',
  ),
})
