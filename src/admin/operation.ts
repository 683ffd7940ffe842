import type { z } from 'zod'

/** One call of the admin API, for both of its ends: it is routed and described by this here, and called by it elsewhere. */
export interface Operation<I extends z.ZodObject = z.ZodObject, O extends z.ZodType = z.ZodType> {
  /**
   * `get` reads, `delete` removes: both take a query. `put` replaces and `post` does all else: both take JSON, which no page
   * elsewhere can make a browser send.
   */
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** Below the prefix of the API. */
  readonly path: string
  readonly summary: string
  readonly input: I
  readonly answer: O
  /** Bytes of JSON that it takes, where that is more than is sent elsewhere. */
  readonly largestBody?: number
}

/** Whether it takes JSON, and no query. */
export const takesJson = ({ method }: Pick<Operation, 'method'>): boolean => method === 'post' || method === 'put'

/** Where the admin API lies. */
export const apiPrefix = '/api/v1'

/** Over its socket the operator says with this which user of the machine it is. */
export const operatorHeader = 'berth-operator'

/** An operation whose types are those of its schemas. */
export function operation<I extends z.ZodObject, O extends z.ZodType>(given: Operation<I, O>): Operation<I, O> {
  return given
}

/** What a caller gives, before defaults are filled in. */
export type Given<P extends Operation> = z.input<P['input']>
/** What a caller gets. */
export type Answer<P extends Operation> = z.output<P['answer']>
