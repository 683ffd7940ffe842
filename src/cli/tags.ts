import { Command } from 'commander'
import { history, images, type Answer } from '../admin/operations.ts'
import { bytes } from '../web/format.ts'
import type { Api } from './api.ts'
import { columns, day, json } from './columns.ts'
import { parseImage } from './image-name.ts'
import type { Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

type Tag = Answer<typeof images.listTags>['items'][number]

export function tagsCommand(io: Io): Command {
  return targeted(
    new Command('tags')
      .description('print the tags of a repository that are here: digest, size, pushed or first seen, pulled, pulls')
      .argument('<name>', 'as clients name it: alice/app, library/nginx, ghcr.io/org/app'),
  )
    .option('--json', 'print JSON')
    .action(async (name: string, options: Target & { json?: boolean }) => {
      const tags = await withApi(options, io, (api) => allTags(api, name))
      io.out(options.json ? json(tags) : columns(tags.map(rowOf)))
    })
}

export function historyCommand(io: Io): Command {
  return targeted(
    new Command('history')
      .description(
        'print every digest that a tag was seen to mean: from when on, who set it, whether it is here still; newest first',
      )
      .argument('<image>', 'NAME:TAG'),
  )
    .option('--json', 'print JSON')
    .action(async (image: string, options: Target & { json?: boolean }) => {
      const { name, reference: tag } = parseImage(image)
      const moments = await withApi(options, io, (api) => api.call(history.listHistory, { name, tag }))
      const rows = moments.map(({ digest, seenAt, by = '', here }) => {
        const state = digest === undefined || here ? '' : 'not here any more'
        return [new Date(seenAt).toISOString(), digest ?? 'deleted', by, state]
      })
      io.out(options.json ? json(moments) : columns(rows))
    })
}

async function allTags(api: Api, name: string): Promise<Tag[]> {
  const tags: Tag[] = []
  for (let page = 1, more = true; more; page++) {
    const found = await api.call(images.listTags, { name, page })
    tags.push(...found.items)
    more = found.more
  }
  return tags
}

function rowOf({ tag, digest, size, updatedAt, pulledAt, pulls, movedTo, fresh }: Tag): string[] {
  const state = movedTo === undefined ? (fresh === false ? 'to be checked' : '') : `upstream has ${movedTo}`
  return [tag, digest, size === undefined ? '?' : bytes(size), day(updatedAt), day(pulledAt), String(pulls), state]
}
