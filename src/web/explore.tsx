import { difference, pairOf, type Admin, type AdminContext } from '../admin/admin.ts'
import { parseDigest } from '../oci/digest.ts'
import { isAbsence, RegistryError } from '../oci/errors.ts'
import { isTag, parseReference, parseTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { WebCall, WebParts } from './call.ts'
import { describe, describeForm, preview } from './describe.tsx'
import { doneText } from './done.ts'
import { imagePath, parseTarget, query, repositoryPath } from './links.ts'
import { DeletedTagPage } from './pages/history.tsx'
import { HomePage } from './pages/home.tsx'
import { ImagePage } from './pages/image.tsx'
import { RepositoryPage } from './pages/repository.tsx'
import { SearchPage } from './pages/search.tsx'
import { decodePath, html, unknownAction, type Rendered } from './respond.tsx'
import { changeMeaning, changeTags } from './tags.ts'

/** How many repositories each list of the front page has. */
const shown = 8

export async function home(call: WebCall, { repositories }: Admin): Promise<Rendered> {
  const list = (order: 'pulls' | 'updated') => repositories.search(call.visitor, { text: '', order, page: 1 })
  const [mostPulled, updated] = await Promise.all([list('pulls'), list('updated')])
  const first = ({ items }: typeof updated) => items.slice(0, shown)
  return <HomePage frame={call.frame} mostPulled={first(mostPulled)} updated={first(updated)} />
}

export async function search(call: WebCall, { repositories }: Admin): Promise<Rendered> {
  const text = call.text('q')
  const order = call.choice('order', ['pulls', 'updated', 'name'])
  const { items, page, more } = await repositories.search(call.visitor, { text, order, page: call.page })
  return <SearchPage frame={call.frame} text={text} order={order} page={page} more={more} repositories={items} />
}

interface Target {
  readonly name: RepositoryName
  readonly reference: Reference | undefined
  /** Whether the address says the name as it is here. */
  readonly isExact: boolean
}

/** What a path below `/r/` means. Throws what the names in it deserve. */
function targetOf(path: string, admin: Admin): Target {
  const asked = parseTarget(decodePath(path).slice('/r/'.length))
  const name = admin.locate(asked.name)
  const reference = asked.reference === undefined ? undefined : parseReference(asked.reference)
  return { name, reference, isExact: name === asked.name }
}

const pathOf = ({ name, reference }: Target) =>
  reference === undefined ? repositoryPath(name) : imagePath(name, reference)

export async function show(c: AdminContext, call: WebCall, parts: WebParts): Promise<Rendered | Response> {
  const { admin } = parts
  const target = targetOf(c.req.path, admin)
  const { name, reference, isExact } = target
  if (!isExact) return c.redirect(pathOf(target))
  if (reference === undefined) {
    return call.text('edit') === 'description' ? describeForm(call, admin, name) : repository(call, parts, name)
  }
  try {
    return await image(call, admin, { name, reference })
  } catch (error) {
    if (!isAbsence(error) || !isTag(reference)) throw error
    const deleted = await deletedTag(call, admin, name, reference)
    if (!deleted) throw error
    return html(c, deleted, 404)
  }
}

/** The page of a hosted tag that was deleted; undefined where nothing is known of it. */
async function deletedTag(call: WebCall, admin: Admin, name: RepositoryName, tag: Tag): Promise<Rendered | undefined> {
  if (!admin.guard.isHosted(name)) return undefined
  const history = await admin.history.get(call.visitor, name, tag)
  if (history.length === 0) return undefined
  const may = await admin.repositories.rights(call.visitor, name)
  return <DeletedTagPage frame={call.frame} name={name} tag={tag} history={history} may={may} />
}

/** What asks for tags is not answered with a README first. */
const tagFields = ['q', 'order', 'direction', 'page', 'view']

async function repository(call: WebCall, { admin, readmes }: WebParts, name: RepositoryName): Promise<Rendered> {
  const { repositories } = admin
  const search = {
    text: call.text('q'),
    order: call.choice('order', ['updated', 'name', 'pulled', 'pulls']),
    descending: call.choice('direction', ['down', 'up']) === 'down',
    page: call.page,
  }
  const found = await repositories.get(call.visitor, name)
  const tags = await repositories.tags(call.visitor, name, search)
  const deleted = found.registry === undefined && found.may.push ? await admin.history.deleted(call.visitor, name) : []
  const text = found.about.readme
  const isOverview = tagFields.every((field) => call.text(field) === '')
  const readme = text === '' ? undefined : { text, html: isOverview ? await readmes.html(text) : undefined }
  const shown = { repository: found, tags, deleted, search, readme, isOverview }
  return <RepositoryPage frame={call.frame} {...shown} done={doneText(call)} />
}

async function image(
  call: WebCall,
  admin: Admin,
  { name, reference }: { name: RepositoryName; reference: Reference },
): Promise<Rendered> {
  const { images, repositories } = admin
  const platform = call.text('platform')
  const view = await images.get(call.visitor, name, reference, platform)
  const may = await repositories.rights(call.visitor, name)
  const other = call.text('compare')
  const shownWith = { frame: call.frame, view, may, done: doneText(call) }
  if (other === '') return <ImagePage {...shownWith} compared={undefined} />
  const from = parseDigest(other)
  const pair = pairOf(await images.get(call.visitor, name, from, platform), view)
  const packages = await admin.comparePackages(call.visitor, [pair.from, pair.to])
  const compared = { from, to: view.digest, difference: difference(pair.from.image, pair.to.image), packages }
  return <ImagePage {...shownWith} compared={compared} />
}

/** What the buttons of an image's page do. Answers with the page to see then. */
export async function act(
  c: AdminContext,
  call: WebCall,
  parts: WebParts,
  form: ReadonlyMap<string, string>,
): Promise<Response> {
  const { admin } = parts
  const { name, reference } = targetOf(c.req.path, admin)
  const { visitor } = call
  const to = (path: string, done: string, amount?: number) => c.redirect(path + query({ done, amount }), 303)
  if (reference === undefined) return actOnRepository(c, call, parts, { name, form })
  const changed = await changeMeaning(call, admin, { name, reference }, form)
  if (changed) return to(...changed)
  const here = imagePath(name, reference)
  switch (form.get('action')) {
    case 'delete':
      await admin.actions.delete(visitor, name, reference)
      return to(repositoryPath(name), 'deleted')
    case 'tag': {
      const tag = parseTag(form.get('tag') ?? '')
      await admin.actions.tag(visitor, name, { from: reference, tag })
      return to(imagePath(name, tag), 'tagged')
    }
    case 'check':
      if (isTag(reference)) await admin.actions.check(visitor, name, reference)
      return to(here, 'checked')
    case 'evict':
      return to(here, 'evicted', await admin.actions.evict(visitor, name, reference))
    case 'fetch': {
      const { image, problem } = await admin.images.get(visitor, name, reference, form.get('platform'))
      if (!image) throw new RegistryError('MANIFEST_UNKNOWN', problem ?? 'there is no image to fetch')
      await admin.actions.fetch(visitor, name, image)
      return to(here, 'fetching')
    }
    case 'pin':
      await admin.cache.pin(visitor, `${name}:${reference}`)
      return to(here, 'pinned')
    default:
      throw unknownAction()
  }
}

async function actOnRepository(
  c: AdminContext,
  call: WebCall,
  parts: WebParts,
  sent: { name: RepositoryName; form: ReadonlyMap<string, string> },
): Promise<Response> {
  const action = sent.form.get('action')
  const to = (path: string, done: string) => c.redirect(path + query({ done }), 303)
  switch (action) {
    case 'public':
    case 'private':
      await parts.admin.accounts.setPublic(call.visitor, sent.name, action === 'public')
      return to(repositoryPath(sent.name), action)
    case 'preview':
      return preview(c, call, parts, sent)
    case 'describe':
      return describe(c, call, parts.admin, sent)
    default: {
      const changed = await changeTags(call, parts.admin, sent.name, sent.form)
      if (!changed) throw unknownAction()
      return to(...changed)
    }
  }
}
