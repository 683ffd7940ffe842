import type { ImageView, Rights } from '../../admin/admin.ts'
import { ago, date, visible } from '../format.ts'
import type { Frame } from '../layout.tsx'
import { imagePath } from '../links.ts'
import { Action, Notice, ShortDigest } from '../parts.tsx'

/** Where a cached tag is not what its upstream says: why, and since when. */
export function Moved({ frame, view, may }: { frame: Frame; view: ImageView; may: Rights }) {
  const { name, tag, pin, heldUntil } = view
  if (pin) {
    return (
      <Notice tone="info">
        Pinned here to <ShortDigest digest={pin.digest} /> {ago(pin.pinnedAt, frame.now)}
        {pin.by !== undefined && <> by {visible(pin.by)}</>}: pulls of this tag get that, whatever the upstream says.{' '}
        {tag?.movedTo && (
          <>
            When it was last asked, the upstream said{' '}
            <ShortDigest digest={tag.movedTo} href={imagePath(name, tag.movedTo)} />.{' '}
          </>
        )}
        {may.administer && <Action frame={frame} action="release" label="Release it" />}
      </Notice>
    )
  }
  if (!tag?.movedTo) return null
  if (heldUntil !== undefined) {
    return (
      <Notice tone="warn">
        The upstream says this tag is <ShortDigest digest={tag.movedTo} /> now. That is held back here until it is old
        enough (minAge): {date(heldUntil)}.
      </Notice>
    )
  }
  return (
    <Notice tone="warn">
      The upstream says this tag is <ShortDigest digest={tag.movedTo} href={imagePath(name, tag.movedTo)} /> now. The
      next pull that asks it gets that.
    </Notice>
  )
}
