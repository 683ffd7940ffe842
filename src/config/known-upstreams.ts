/** The public registries that are always there. An entry of the same name in `upstreams:` overrides its keys. */
export const knownUpstreams = [
  {
    name: 'docker.io',
    url: 'https://registry-1.docker.io',
    aliases: ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'],
    tokenHosts: ['auth.docker.io'],
  },
  { name: 'ghcr.io', url: 'https://ghcr.io' },
  { name: 'quay.io', url: 'https://quay.io' },
  { name: 'gcr.io', url: 'https://gcr.io' },
  { name: 'registry.k8s.io', url: 'https://registry.k8s.io' },
  { name: 'mcr.microsoft.com', url: 'https://mcr.microsoft.com' },
  { name: 'public.ecr.aws', url: 'https://public.ecr.aws' },
  { name: 'registry.gitlab.com', url: 'https://registry.gitlab.com', tokenHosts: ['gitlab.com'] },
  { name: 'nvcr.io', url: 'https://nvcr.io', tokenHosts: ['authn.nvidia.com'] },
] as const

/** The upstream of names that name no registry, unless another says `default: true`. */
export const usualDefault = 'docker.io'
