import { Command } from 'commander'
import { cache, images } from '../admin/operations.ts'
import { bytes } from '../web/format.ts'
import { parseImageName } from './image-name.ts'
import type { Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

export function evictCommand(io: Io): Command {
  return targeted(
    new Command('evict')
      .description('remove cached content from the disk; what is hosted here and what is being read stays')
      .argument('[image]', 'a repository, NAME:TAG or NAME@DIGEST; without, what the limits ask for'),
  ).action(async (image: string | undefined, target: Target) => {
    const freed = await withApi(target, io, (api) =>
      image === undefined ? api.call(cache.evict, {}) : api.call(images.evictImage, parseImageName(image)),
    )
    io.out(freed.bytes === 0 ? 'there was nothing to evict\n' : `${bytes(freed.bytes)} are free again\n`)
  })
}
