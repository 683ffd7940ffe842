import { quirksOf, type Upstream, type UpstreamOptions } from '../upstream.ts'

/** A registry as users have it before Berth: how it behaves, and what is set for it. */
export interface Kind {
  readonly behaves: Omit<UpstreamOptions, 'content'>
  /** Settings of the upstream beside its name and URL. */
  readonly settings?: (upstream: Upstream) => Record<string, unknown>
}

const login = (username: string, password: string) => ({ credentials: { username, password } })
const withTokenHost = (username: string, password: string) => (upstream: Upstream) => ({
  ...login(username, password),
  tokenHosts: [upstream.tokenHost],
})

/** The registries of the wild, by what is known of each: tokens, refusals, redirects, lists, limits. */
export const kinds = {
  plain: { behaves: {} },
  'Docker Hub, anonymous': {
    behaves: {
      auth: { kind: 'bearer', realmHost: 'other' },
      quirks: quirksOf.hub,
      cdn: { redirectHead: true },
      rate: { limit: 100 },
    },
  },
  'Docker Hub, as a user': {
    behaves: {
      auth: { kind: 'bearer', realmHost: 'other', users: { me: 'dckr_pat_1' } },
      quirks: quirksOf.hub,
      cdn: { redirectHead: true },
      rate: { limit: 200 },
    },
    settings: withTokenHost('me', 'dckr_pat_1'),
  },
  'ghcr.io': {
    behaves: { auth: { kind: 'bearer' }, quirks: quirksOf.ghcr, cdn: { redirectHead: true } },
  },
  'quay.io, as a robot': {
    behaves: {
      auth: { kind: 'bearer', users: { 'org+ci': 'QUAYROBOT' }, anonymous: false },
      quirks: quirksOf.quay,
      cdn: { status: 302 },
    },
    settings: () => login('org+ci', 'QUAYROBOT'),
  },
  'Google Artifact Registry': {
    behaves: {
      auth: { kind: 'bearer', users: { _json_key: '{}' }, anonymous: false, noScopeInChallenge: true },
      quirks: { ...quirksOf.artifactRegistry, ...quirksOf.gcr },
      cdn: { status: 302, redirect: 'relative' },
    },
    settings: () => login('_json_key', '{}'),
  },
  'mcr.microsoft.com': { behaves: { cdn: {} } },
  'Amazon ECR Public': {
    behaves: { auth: { kind: 'bearer', scope: 'aws' }, quirks: quirksOf.ecrPublic, cdn: {} },
  },
  'Amazon ECR': {
    behaves: { auth: { kind: 'basic', users: { AWS: '12hours' } }, quirks: quirksOf.ecr, cdn: {} },
    settings: () => login('AWS', '12hours'),
  },
  'Azure ACR': {
    behaves: {
      auth: {
        kind: 'bearer',
        anonymous: false,
        noScopeInChallenge: true,
        tokenField: 'access_token',
        omitExpiresIn: true,
        refreshTokens: { 'refresh.of.acr': '00000000-0000-0000-0000-000000000000' },
      },
      cdn: {},
    },
    settings: () => ({ credentials: { identityToken: 'refresh.of.acr' } }),
  },
  'GitLab, by a deploy token': {
    behaves: {
      auth: {
        kind: 'bearer',
        users: { 'gitlab+deploy-token-1': 'gldt-1' },
        anonymous: false,
        realmHost: 'other',
        omitExpiresIn: true,
      },
      quirks: quirksOf.gitlab,
      cdn: {},
    },
    settings: withTokenHost('gitlab+deploy-token-1', 'gldt-1'),
  },
  'Harbor, as a robot': {
    behaves: {
      auth: { kind: 'bearer', users: { 'robot$org+ci': 'harbor-1' }, anonymous: false },
      quirks: quirksOf.harbor,
    },
    settings: () => login('robot$org+ci', 'harbor-1'),
  },
  'Harbor of old, with Basic': {
    behaves: {
      auth: { kind: 'basic', users: { robot$ci: 'harbor-1' } },
      quirks: quirksOf.harborOld,
    },
    settings: () => login('robot$ci', 'harbor-1'),
  },
  'Docker Trusted Registry / MSR': {
    behaves: { auth: { kind: 'bearer', users: { ci: 'msr-1' }, anonymous: false, tokenField: 'both' } },
    settings: () => login('ci', 'msr-1'),
  },
  'Artifactory and Nexus, below a path': {
    behaves: { auth: { kind: 'basic', users: { ci: 'artifactory-1' } }, quirks: quirksOf.artifactory },
    settings: ({ url }) => ({ url: url + quirksOf.artifactory.below, ...login('ci', 'artifactory-1') }),
  },
  'nvcr.io': {
    behaves: {
      auth: {
        kind: 'bearer',
        users: { $oauthtoken: 'nvapi-1' },
        anonymous: false,
        realmHost: 'other',
        noService: true,
      },
    },
    settings: withTokenHost('$oauthtoken', 'nvapi-1'),
  },
  'Red Hat': { behaves: { quirks: quirksOf.redhat } },
  'GitHub Enterprise (docker.pkg)': {
    behaves: { auth: { kind: 'basic', users: { me: 'ghp_1' } }, quirks: quirksOf.gheDocker },
    settings: () => login('me', 'ghp_1'),
  },
} satisfies Record<string, Kind>
