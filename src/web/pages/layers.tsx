import type { Image } from '../../admin/admin.ts'
import { bytes, visible } from '../format.ts'
import { Section } from '../layout.tsx'
import { Chip, ShortDigest } from '../parts.tsx'

/** The layers of an image, the first at the top, each with what made it. */
export function Layers({ image }: { image: Image }) {
  const largest = Math.max(1, ...image.layers.map(({ descriptor }) => descriptor.size))
  return (
    <Section id="layers" title="Layers">
      <ol class="layers">
        {image.layers.map(({ descriptor, command, stored }) => (
          <li>
            <span class="size">
              {bytes(descriptor.size)}
              <Bar share={descriptor.size / largest} />
            </span>
            <span class="made">
              {command === undefined ? (
                <span class="faint">{visible(descriptor.mediaType)}</span>
              ) : (
                <code>{visible(command)}</code>
              )}
              <span class="facts">
                <ShortDigest digest={descriptor.digest} />
                {!stored && <Chip>not on disk</Chip>}
              </span>
            </span>
          </li>
        ))}
      </ol>
    </Section>
  )
}

/** A share of the largest as a bar; widths are attributes, for the policy of the page allows no inline style. */
export function Bar({ share }: { share: number }) {
  const width = Math.max(0.5, Math.min(100, share * 100)).toFixed(1)
  return (
    <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="4" />
      <rect class="fill" width={width} height="4" />
    </svg>
  )
}
