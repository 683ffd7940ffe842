// Namespaces that are hosted here, for administrators.
import { z } from 'zod'
import { operation } from '../operation.ts'
import { accountName as name } from '../account-schemas.ts'
import { done } from '../schemas.ts'

export const listNamespaces = operation({
  method: 'get',
  path: '/namespaces',
  summary: 'The namespaces that are hosted here',
  input: z.object({}),
  answer: z.array(z.string()).readonly(),
})

export const addNamespace = operation({
  method: 'post',
  path: '/namespaces',
  summary: 'Host a namespace; answers whether it was not hosted before',
  input: z.object({ name }),
  answer: z.object({ added: z.boolean() }),
})

export const removeNamespace = operation({
  method: 'delete',
  path: '/namespaces',
  summary: 'Host a namespace no more; it must have no content',
  input: z.object({ name }),
  answer: done,
})
