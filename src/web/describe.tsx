import { oneLine, type Admin, type AdminContext, type Description } from '../admin/admin.ts'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { WebCall, WebParts } from './call.ts'
import { query, repositoryPath } from './links.ts'
import { DescribePage } from './pages/describe.tsx'
import { html, type Rendered } from './respond.tsx'

type Form = ReadonlyMap<string, string>

/** The form for those who may push; what is there already stands in it. */
export async function describeForm(call: WebCall, admin: Admin, name: RepositoryName): Promise<Rendered> {
  await admin.guard.expect(call.visitor, 'push', name)
  const about = await admin.descriptions.get(call.visitor, name)
  const fields = { short: oneLine(about.short), readme: about.readme, version: about.version }
  return <DescribePage frame={call.frame} name={name} fields={fields} tag={about.tag} />
}

/** Shows what was written as it would be seen. */
export async function preview(
  c: AdminContext,
  call: WebCall,
  { admin, readmes }: WebParts,
  { name, form }: { name: RepositoryName; form: Form },
): Promise<Response> {
  await admin.guard.expect(call.visitor, 'push', name)
  const { tag } = await admin.descriptions.get(call.visitor, name)
  const fields = fieldsOf(form)
  const shown = {
    short: oneLine(fields.short),
    readme: { text: fields.readme, html: await readmes.html(fields.readme) },
  }
  return html(c, <DescribePage frame={call.frame} name={name} fields={fields} tag={tag} preview={shown} />, 200)
}

/** Saves it, or answers with the form again, with what was written still in it, and why it was not saved. */
export async function describe(
  c: AdminContext,
  call: WebCall,
  admin: Admin,
  { name, form }: { name: RepositoryName; form: Form },
): Promise<Response> {
  const fields = fieldsOf(form)
  try {
    await admin.descriptions.change(call.visitor, name, fields)
    return c.redirect(`${repositoryPath(name)}${query({ done: 'described' })}`, 303)
  } catch (error) {
    if (!(error instanceof RegistryError) || (error.status !== 409 && error.status !== 413)) throw error
    const about = await admin.descriptions.get(call.visitor, name)
    const refused = error.status === 409 ? conflict(about, fields) : { fields, problem: error.message }
    return html(c, <DescribePage frame={call.frame} name={name} tag={about.tag} {...refused} />, error.status)
  }
}

/** Saved once more, it replaces what the writer has then seen. */
function conflict(about: Description, fields: ReturnType<typeof fieldsOf>) {
  const problem =
    'This was changed meanwhile, so yours is not saved yet. What is there now stands below: saving again replaces it.'
  return { fields: { ...fields, version: about.version }, problem, meanwhile: about }
}

function fieldsOf(form: Form) {
  const text = (field: string) => form.get(field) ?? ''
  return { short: text('short'), readme: text('readme'), version: text('version') }
}
