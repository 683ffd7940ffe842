import type { Admin } from '../admin/admin.ts'
import { parseDigest } from '../oci/digest.ts'
import { parseReference, parseTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { WebCall } from './call.ts'
import { imagePath, repositoryPath } from './links.ts'

/** Where to go, and the word for what was done. */
type Went = readonly [path: string, done: string]
type Form = ReadonlyMap<string, string>

/** What the buttons of a repository's list of tags do; undefined for none of these. */
export async function changeTags(
  { visitor }: WebCall,
  { actions }: Admin,
  name: RepositoryName,
  form: Form,
): Promise<Went | undefined> {
  const reference = () => parseReference(form.get('reference') ?? '')
  switch (form.get('action')) {
    case 'delete':
      await actions.delete(visitor, name, reference())
      return [repositoryPath(name), 'deleted']
    case 'tag':
      await actions.tag(visitor, name, { from: reference(), tag: parseTag(form.get('tag') ?? '') })
      return [repositoryPath(name), 'tagged']
    default:
      return undefined
  }
}

/** What those in the history of a tag do. */
export async function changeMeaning(
  { visitor }: WebCall,
  { history }: Admin,
  { name, reference }: { name: RepositoryName; reference: Reference },
  form: Form,
): Promise<Went | undefined> {
  const tag = reference as Tag
  const here = imagePath(name, reference)
  const meaning = () => ({ tag: parseTag(tag), digest: parseDigest(form.get('digest') ?? '') })
  switch (form.get('action')) {
    case 'rollback':
      await history.rollBack(visitor, name, meaning())
      return [here, 'rolledback']
    case 'pin-to':
      await history.pin(visitor, name, meaning())
      return [here, 'pinnedto']
    case 'release':
      await history.release(visitor, name, parseTag(tag))
      return [here, 'released']
    default:
      return undefined
  }
}
