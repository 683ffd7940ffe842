// What repositories are, in words.
import { z } from 'zod'
import { operation } from '../operation.ts'
import { description, name } from '../schemas.ts'

export const getDescription = operation({
  method: 'get',
  path: '/description',
  summary: 'What a repository is, as its image says or as it was written here',
  input: z.object({ name }),
  answer: description,
})

export const describe = operation({
  method: 'put',
  path: '/description',
  summary: 'Describe a hosted repository; a text that is empty is the image’s again, one that is absent stays',
  input: z.object({
    name,
    short: z.string().optional().meta({ description: 'one line of up to 300 characters' }),
    readme: z.string().optional().meta({ description: 'Markdown, up to 64 KiB' }),
    version: z.string().optional().meta({
      description: 'the version that was read: a description that has changed since is left as it is (409)',
    }),
  }),
  answer: description,
  // Room for a README in which JSON needs six bytes for each.
  largestBody: 512 * 1024,
})
