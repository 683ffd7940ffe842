import type { Image, ImageView, Rights } from '../../admin/admin.ts'
import { isTag } from '../../oci/reference.ts'
import { bytes, shortDigest, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { imagePath, query, repositoryPath } from '../links.ts'
import { Ago, Chip, Copyable, Figure, Notice } from '../parts.tsx'
import { pullCommand } from '../pull-command.ts'
import { Actions } from './actions.tsx'
import { ConfigTable, Pairs } from './config.tsx'
import { DifferenceSection, type Compared } from './difference.tsx'
import { HistoryOf } from './history.tsx'
import { Layers } from './layers.tsx'
import { Moved } from './moved.tsx'
import { Referrers } from './referrers.tsx'

export interface ImageProps {
  frame: Frame
  view: ImageView
  may: Rights
  /** Against another digest, where that was asked for. */
  compared: Compared | undefined
  /** What an action did. */
  done: string | undefined
}

/** A tag, or a digest: what it is made of, where it comes from, what it was before. */
export function ImagePage({ frame, view, may, compared, done }: ImageProps) {
  const { name, reference, image, problem, stale } = view
  const separator = isTag(reference) ? ':' : '@'
  return (
    <Page frame={frame} title={`${name}${separator}${isTag(reference) ? reference : shortDigest(reference)}`}>
      <p class="crumb">
        <a href={repositoryPath(name)}>{name}</a>
      </p>
      <div class="title">
        <h1>{isTag(reference) ? reference : <code>{shortDigest(reference)}</code>}</h1>
        {image?.artifactType !== undefined && <Chip>{visible(image.artifactType)}</Chip>}
        {image && <Kept image={image} />}
      </div>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      {stale !== undefined && <Notice tone="warn">This may be out of date: {visible(stale)}.</Notice>}
      <Moved frame={frame} view={view} may={may} />
      <div class="about">
        <Copyable text={pullCommand(frame, { name, reference, kind: view.kind })} label="pull command" />
        <Facts view={view} now={frame.now} />
      </div>
      <Actions frame={frame} view={view} may={may} />
      <Platforms view={view} />
      {problem !== undefined && <Notice tone="bad">This image cannot be shown: {visible(problem)}</Notice>}
      {compared && <DifferenceSection compared={compared} here={comparison(view, compared)} />}
      {image && <Layers image={image} />}
      {image?.config && <ConfigTable config={image.config} />}
      <Annotations view={view} />
      <Referrers view={view} />
      {isTag(reference) && <HistoryOf frame={frame} view={view} may={may} tag={reference} />}
    </Page>
  )
}

function Facts({ view, now }: { view: ImageView; now: number }) {
  const { image, tag } = view
  const created = image?.config?.created
  return (
    <dl class="figures">
      {image && <Figure label="Size">{bytes(image.size)}</Figure>}
      {image && <Figure label="Layers">{image.layers.length}</Figure>}
      {created !== undefined && !Number.isNaN(Date.parse(created)) && (
        <Figure label="Built">
          <Ago time={Date.parse(created)} now={now} />
        </Figure>
      )}
      {tag && (
        <Figure label="Pushed">
          <Ago time={tag.updatedAt} now={now} />
        </Figure>
      )}
      {tag && <Figure label="Pulls">{tag.pulls}</Figure>}
      {tag && (
        <Figure label="Last pulled">
          <Ago time={tag.pulledAt} now={now} none="never" />
        </Figure>
      )}
      <Figure label="Digest">
        <code class="digest">{view.digest}</code>
      </Figure>
    </dl>
  )
}

/** How much of an image a pull would find here. */
function Kept({ image: { layers } }: { image: Image }) {
  const kept = layers.filter(({ stored }) => stored).length
  if (layers.length === 0) return null
  if (kept === layers.length) return <Chip tone="good">all on disk</Chip>
  return (
    <Chip title="the rest comes from the upstream when it is pulled">
      {kept === 0 ? 'not on disk' : `${kept} of ${layers.length} layers on disk`}
    </Chip>
  )
}

function Platforms({ view: { name, reference, platforms, image } }: { view: ImageView }) {
  if (platforms.length === 0) return null
  return (
    <nav class="tabs" aria-label="Platforms">
      {platforms.map(({ platform, digest }) => (
        <a
          href={imagePath(name, reference) + query({ platform })}
          aria-current={digest === image?.digest ? 'true' : undefined}
        >
          {visible(platform)}
        </a>
      ))}
    </nav>
  )
}

function Annotations({ view: { annotations, image } }: { view: ImageView }) {
  const all = Object.entries({ ...annotations, ...image?.annotations })
  if (all.length === 0) return null
  return (
    <Section id="annotations" title="Annotations">
      <Pairs pairs={all} />
    </Section>
  )
}

/** The address of this page as it is, compared with another digest. */
function comparison({ name, reference, platforms, image }: ImageView, { from }: Compared): string {
  const platform = platforms.find(({ digest }) => digest === image?.digest)?.platform
  return `${imagePath(name, reference)}${query({ compare: from, platform })}#packages`
}
