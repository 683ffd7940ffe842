import { apiPrefix, takesJson, type Answer, type Given, type Operation } from '../admin/operations.ts'
import { visible } from '../web/format.ts'
import { CommandError } from './io.ts'

export interface ApiRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** JSON. */
  readonly body: string | undefined
}

export interface ApiAnswer {
  readonly status: number
  readonly text: string
}

/** A way to an admin API. */
export interface Way {
  /** For people: an URL, or which data folder. */
  readonly place: string
  /** Whether a server answers; else this process does, on the data folder. */
  readonly isServer: boolean
  /** What helps where a login is missing, or is not enough. */
  readonly loginHint: string
  /** Rejects with CommandError where nothing can be had of it. */
  readonly send: (request: ApiRequest) => Promise<ApiAnswer>
  readonly close: () => Promise<void>
}

/** The admin API, wherever it is: the same calls with the same answers. Every refusal becomes a CommandError. */
export class Api {
  readonly way: Way

  constructor(way: Way) {
    this.way = way
  }

  async call<P extends Operation>(operation: P, given: Given<P>): Promise<Answer<P>> {
    const { method, path } = operation
    const isJson = takesJson(operation)
    const { status, text } = await this.way.send({
      method: method.toUpperCase(),
      path: apiPrefix + path + (isJson ? '' : queryOf(given)),
      body: isJson ? JSON.stringify(given) : undefined,
    })
    const value = parse(text)
    if (status !== 200) throw new CommandError(this.#refusal(status, value))
    const answer = operation.answer.safeParse(value)
    if (answer.success) return answer.data as Answer<P>
    throw new CommandError(
      `${this.way.place} gave another answer than this command knows: is it a Berth, and of this version?`,
    )
  }

  #refusal(status: number, value: unknown): string {
    const { place, loginHint } = this.way
    const [error] = (value as { errors?: { message?: unknown }[] } | undefined)?.errors ?? []
    if (typeof error?.message !== 'string') {
      if (status >= 500) return `${place} failed (HTTP ${status}): its log tells more`
      return `${place} answered with HTTP ${status} and nothing that this command knows: is it the address of a Berth?`
    }
    const message = visible(error.message)
    return status === 401 ? `${message}${loginHint}` : message
  }
}

function queryOf(given: object): string {
  const pairs = Object.entries(given).filter(([, value]) => value !== undefined)
  if (pairs.length === 0) return ''
  return `?${new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, String(value)])).toString()}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
