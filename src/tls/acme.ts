import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import acme from 'acme-client'
import { serveChallenges, type Challenges } from './challenges.ts'
import type { ReportCertificate } from './events.ts'
import type { Shown } from './tls.ts'

export interface AcmeSettings {
  /** The names of the certificate. */
  readonly domains: readonly string[]
  /** Where the authority may write to. */
  readonly email?: string | undefined
  /** The authority's directory. */
  readonly directory: string
  /** Where the authority's questions come in by plain HTTP: it asks on port 80. */
  readonly listen: { readonly host: string; readonly port: number }
}

export interface OrderedCertificateOptions {
  acme: AcmeSettings
  data: string
  report: ReportCertificate
  now: () => number
  offer: (shown: Shown) => void
}

const hour = 3_600_000
/** It is looked at least so often whether the certificate is to be renewed: a machine may have slept meanwhile. */
const look = 12 * hour
const firstPause = 60_000
/** Authorities allow few failures an hour. */
const longestPause = 6 * hour
/** How long one answer of the authority is waited for, in milliseconds. */
const patience = 30_000

/** A certificate by ACME (RFC 8555), by HTTP challenges: ordered when there is none, renewed when a third of its time is left. */
export async function orderedCertificate(options: OrderedCertificateOptions) {
  limitRequests()
  const folder = path.join(options.data, 'acme')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const challenges = await serveChallenges(options.acme.listen)
  const first = await readPair(folder)
  const orders = new Orders({ ...options, folder, challenges }, first)
  orders.look()
  return {
    first,
    stop: async () => {
      await orders.stop()
      await challenges.close()
    },
  }
}

/**
 * By itself the library waits for ever for an authority that says nothing, repeats what failed for more than a minute, and then
 * does not tell why. When to ask again is for us to say.
 */
function limitRequests(): void {
  const { defaults, interceptors } = acme.axios
  defaults.timeout = patience
  interceptors.request.clear()
  interceptors.response.clear()
}

interface OrdersOptions extends OrderedCertificateOptions {
  folder: string
  challenges: Challenges
}

class Orders {
  readonly #options: OrdersOptions
  #shown: Shown | undefined
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #ordering: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: OrdersOptions, shown: Shown | undefined) {
    this.#options = options
    this.#shown = shown
  }

  look(): void {
    if (this.#stopped) return
    const due = this.#dueIn()
    if (due > 0) return this.#lookIn(Math.min(look, due))
    this.#ordering = this.#order().then(
      () => {
        this.#failures = 0
        const due = this.#dueIn()
        // One that is due at once would be ordered without end.
        this.#lookIn(due > 0 ? Math.min(look, due) : look)
      },
      (error: unknown) => {
        const pause = Math.min(longestPause, firstPause * 2 ** this.#failures++)
        this.#tell(
          'order failed',
          `${this.#options.acme.directory}: ${error instanceof Error ? error.message : String(error)}; again in ${pause / 60_000} min`,
        )
        this.#lookIn(pause)
      },
    )
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    // An order may wait long for the authority: nobody waits for it.
    await Promise.race([this.#ordering, new Promise((resolve) => setTimeout(resolve, 1_000).unref())])
  }

  #lookIn(pause: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => this.look(), pause).unref()
  }

  /** How long until the certificate is to be renewed, in milliseconds; none where there is none for these names. */
  #dueIn(): number {
    if (!this.#shown) return 0
    const { validFrom, validTo, subjectAltName = '' } = new X509Certificate(this.#shown.cert)
    const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
    const named = subjectAltName.split(', ').map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
    const all = this.#options.acme.domains.every((domain) => named.includes(domain.toLowerCase()))
    return all ? to - (to - from) / 3 - this.#options.now() : 0
  }

  async #order(): Promise<void> {
    const { acme: settings, folder, challenges, offer } = this.#options
    const { domains, email, directory } = settings
    const client = new acme.Client({ directoryUrl: directory, accountKey: await accountKey(folder) })
    const [key, csr] = await acme.crypto.createCsr(
      { altNames: [...domains] },
      await acme.crypto.createPrivateEcdsaKey(),
    )
    await findAccount(client)
    const cert = await client.auto({
      csr,
      ...(email !== undefined && { email }),
      termsOfServiceAgreed: true,
      challengePriority: ['http-01'],
      // The authority asks; from within, the public name may lead nowhere.
      skipChallengeVerification: true,
      challengeCreateFn: async (_, challenge, answer) => challenges.add(challenge.token, answer),
      challengeRemoveFn: async (_, challenge) => challenges.remove(challenge.token),
    })
    const shown = { cert, key: key.toString() }
    await writePair(folder, shown)
    this.#shown = shown
    offer(shown)
    this.#tell('ordered', `${directory} issued a certificate for ${domains.join(', ')}`)
  }

  #tell(outcome: 'ordered' | 'order failed', message: string): void {
    this.#options.report({ type: 'certificate', outcome, message })
  }
}

/** By itself the library tells the authority anew what it knows of an account, and an update without news is refused by some. */
async function findAccount(client: acme.Client): Promise<void> {
  try {
    await client.createAccount({ onlyReturnExisting: true })
  } catch {
    // There is none: it is made with the order.
  }
}

/** Made at the first order; without it an account cannot be used again. */
async function accountKey(folder: string): Promise<Buffer> {
  const file = path.join(folder, 'account.key')
  try {
    return await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const key = await acme.crypto.createPrivateEcdsaKey()
    await writeFile(file, key, { mode: 0o600 })
    return key
  }
}

/** One file for both, so that they always belong together. */
const pairFile = (folder: string): string => path.join(folder, 'certificate.json')

async function writePair(folder: string, shown: Shown): Promise<void> {
  await writeFile(`${pairFile(folder)}.new`, JSON.stringify(shown), { mode: 0o600 })
  await rename(`${pairFile(folder)}.new`, pairFile(folder))
}

async function readPair(folder: string): Promise<Shown | undefined> {
  try {
    return JSON.parse(await readFile(pairFile(folder), 'utf8')) as Shown
  } catch (error) {
    // Half a file, or none: a new one is ordered.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
