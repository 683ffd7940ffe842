import { z } from 'zod'
import type { Admin } from './admin.ts'
import type { Routes } from './routes.ts'
import { description, name } from './schemas.ts'

/** Room for a README in which JSON needs six bytes for each, in bytes. */
const largestBody = 512 * 1024

/** What repositories are, in words. */
export function descriptionRoutes(routes: Routes, { descriptions, locate }: Admin): void {
  routes.add(
    {
      method: 'get',
      path: '/description',
      summary: 'What a repository is, as its image says or as it was written here',
      input: z.object({ name }),
      answer: description,
    },
    (visitor, { name }) => descriptions.get(visitor, locate(name)),
  )
  routes.add(
    {
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
      largestBody,
    },
    (visitor, { name, ...change }) => descriptions.change(visitor, locate(name), change),
  )
}
