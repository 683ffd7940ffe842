import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Policy, Question, Verdict } from './policy.ts'
import { Rules, type ContentRules } from './rules.ts'
import type { Directory } from './users.ts'

/** The upstream that a name belongs to. */
export interface AskedUpstream extends ContentRules {
  readonly name: string
  /** Whether it is asked with a login, so that it may show us what it shows nobody else. */
  readonly hasLogin: boolean
}

export interface Asked extends Omit<Question, 'who' | 'hosted'> {
  readonly user: string | undefined
  /** Undefined for what is hosted here. */
  readonly upstream: AskedUpstream | undefined
}

/** What would be decided, and why; `provided`: what has to hold besides, which only a request finds out. */
export type Explained = Omit<Verdict, 'ifThere'> & { readonly provided?: string }

/** Undefined when there is no such account. */
export function explain(
  policy: Policy,
  directory: Directory,
  { user, upstream, action, name }: Asked,
): Explained | undefined {
  if (user !== undefined && !directory.isAccount(user)) return undefined
  const who = directory.subject(user)
  const decide = (action: Question['action']) => policy.decide({ who, action, name, hosted: !upstream }, directory)
  const { allowed, why, ifThere } = decide(action)
  if (!allowed) return { allowed, why }
  const refusal = upstream && refusalOf(upstream, name)
  if (refusal !== undefined) return { allowed: false, why: refusal }
  if (ifThere) return { allowed, why, provided: 'it is there' }
  const forAllThere = action === 'pull' && upstream?.hasLogin && !decide('private').allowed
  return { allowed, why, ...(forAllThere && { provided: `everybody may read it at ${upstream.name}` }) }
}

/** Why nobody may pull from a repository of an upstream, whoever asks. */
function refusalOf(upstream: AskedUpstream, name: string): string | undefined {
  try {
    new Rules(upstream.name, upstream).checkName(name.slice(upstream.name.length + 1) as RepositoryName)
    return undefined
  } catch (error) {
    if (error instanceof RegistryError) return error.message
    throw error
  }
}
