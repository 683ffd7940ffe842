import type { ImageView, RepositoryView, Rights } from '../../admin/admin.ts'
import { isTag } from '../../oci/reference.ts'
import type { Frame } from '../layout.tsx'
import { query, repositoryPath } from '../links.ts'
import { Action } from '../parts.tsx'

interface ActionsProps {
  frame: Frame
  view: ImageView
  may: Rights
}

/** What the visitor may do to an image; nothing is shown to those who may not. */
export function Actions({ frame, view, may }: ActionsProps) {
  const { reference, isHosted } = view
  if (!may.push && !may.delete && !may.administer) return null
  return (
    <div class="actions" role="group" aria-label="Actions">
      {isHosted && may.push && <Retag frame={frame} />}
      {isHosted && may.delete && (
        <Action
          frame={frame}
          action="delete"
          label={isTag(reference) ? 'Delete this tag' : 'Delete with its tags'}
          danger
        />
      )}
      {!isHosted && may.administer && <CacheActions frame={frame} view={view} />}
    </div>
  )
}

function CacheActions({ frame, view: { reference, image, platforms } }: { frame: Frame; view: ImageView }) {
  const chosen = platforms.find(({ digest }) => digest === image?.digest)?.platform ?? ''
  const isWhole = image?.layers.every(({ stored }) => stored)
  return (
    <>
      {isTag(reference) && <Action frame={frame} action="check" label="Ask the upstream now" />}
      {image && !isWhole && (
        <Action frame={frame} action="fetch" label="Fetch all layers now" values={{ platform: chosen }} />
      )}
      {isTag(reference) && <Action frame={frame} action="pin" label="Never evict" />}
      <Action frame={frame} action="evict" label="Evict from the disk" danger />
    </>
  )
}

/** As browsers read it, which is with the flag v. */
const tagPattern = '[A-Za-z0-9_][A-Za-z0-9._\\-]*'

function Retag({ frame }: { frame: Frame }) {
  return (
    <form method="post" class="action">
      <input type="hidden" name="token" value={frame.formToken} />
      <input type="hidden" name="action" value="tag" />
      <input
        name="tag"
        required
        placeholder="another tag"
        aria-label="Another tag"
        maxlength={128}
        pattern={tagPattern}
      />
      <button type="submit">Tag</button>
    </form>
  )
}

/** Gives what a tag or digest names another tag. */
export function TagIt({ frame }: { frame: Frame }) {
  return (
    <form method="post" class="inline">
      <input type="hidden" name="token" value={frame.formToken} />
      <input type="hidden" name="action" value="tag" />
      <label>
        Tag or digest <input name="reference" required placeholder="1.0 or sha256:…" maxlength={140} />
      </label>
      <label>
        Another tag <input name="tag" required maxlength={128} pattern={tagPattern} />
      </label>
      <button type="submit">Tag</button>
    </form>
  )
}

/** What is done to a hosted repository as a whole: describing it, and turning its visibility round. */
export function RepositoryActions({ frame, repository }: { frame: Frame; repository: RepositoryView }) {
  const { name, visibility, may } = repository
  if (!may.push && !may.settle) return null
  const other = visibility === 'public' ? 'private' : 'public'
  return (
    <div class="actions">
      {may.push && (
        <a class="button" href={repositoryPath(name) + query({ edit: 'description' })}>
          Edit the description
        </a>
      )}
      {may.settle && <Action frame={frame} action={other} label={`Make it ${other}`} />}
    </div>
  )
}
