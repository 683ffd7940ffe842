import type { DeletedTag, HistoryMoment, ImageView, Rights } from '../../admin/admin.ts'
import type { Digest } from '../../oci/digest.ts'
import type { RepositoryName, Tag } from '../../oci/reference.ts'
import { date, shortDigest, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { imagePath, query, repositoryPath } from '../links.ts'
import { Action, Ago, Notice, ShortDigest, Table } from '../parts.tsx'

interface HistoryProps {
  frame: Frame
  name: RepositoryName
  tag: Tag
  isHosted: boolean
  history: readonly HistoryMoment[]
  may: Rights
  /** What the tag means now; undefined where it is deleted. */
  present: Digest | undefined
}

/** What a tag meant, since when and by whose hand, and the way back to it. */
export function History({ history, ...props }: HistoryProps) {
  if (history.length === 0) return null
  const mayGoBack = props.isHosted ? props.may.push : props.may.administer
  return (
    <Section id="history" title="History of this tag">
      <Table
        columns={[
          ['Since'],
          ['Age', 'extra'],
          ['Digest'],
          ...(props.isHosted ? [['By'] as const] : []),
          ['Compare'],
          ...(mayGoBack ? [['Go back'] as const] : []),
        ]}
      >
        {history.map((moment) => (
          <tr>
            <th scope="row">{date(moment.seenAt)}</th>
            <td class="extra">
              <Ago time={moment.seenAt} now={props.frame.now} />
            </td>
            <td>
              <Meaning name={props.name} moment={moment} isHosted={props.isHosted} />
            </td>
            {props.isHosted && <td class="break">{moment.by === undefined ? '–' : visible(moment.by)}</td>}
            <td>
              <Compare {...props} moment={moment} />
            </td>
            {mayGoBack && (
              <td>
                <WayBack {...props} moment={moment} />
              </td>
            )}
          </tr>
        ))}
      </Table>
    </Section>
  )
}

function Meaning({ name, moment, isHosted }: { name: RepositoryName; moment: HistoryMoment; isHosted: boolean }) {
  const { digest, here } = moment
  if (digest === undefined) return <span class="faint">deleted</span>
  // What is cached can be had again from its upstream, as long as that has it.
  if (here || !isHosted) return <ShortDigest digest={digest} href={imagePath(name, digest)} />
  return (
    <>
      <ShortDigest digest={digest} /> <span class="faint">gone</span>
    </>
  )
}

type RowProps = Omit<HistoryProps, 'history'> & { moment: HistoryMoment }

function Compare({ name, tag, present, isHosted, moment: { digest, here } }: RowProps) {
  if (digest === undefined || present === undefined || (isHosted && !here)) return <span class="faint">–</span>
  if (digest === present) return <span class="faint">this one</span>
  return <a href={`${imagePath(name, tag)}${query({ compare: digest })}#difference`}>what changed since</a>
}

function WayBack({ frame, isHosted, present, moment: { digest, here } }: RowProps) {
  if (digest === undefined || digest === present || (isHosted && !here)) return null
  const [action, label] = isHosted ? ['rollback', 'Roll back'] : ['pin-to', 'Pin']
  const title = `${isHosted ? 'Roll back to' : 'Pin to'} ${shortDigest(digest)}`
  return <Action frame={frame} action={action} label={label} title={title} values={{ digest }} />
}

/** What the page of a tag has of its history. */
export function HistoryOf({ frame, view, may, tag }: { frame: Frame; view: ImageView; may: Rights; tag: Tag }) {
  const { name, isHosted, history, digest } = view
  return (
    <History frame={frame} name={name} tag={tag} isHosted={isHosted} history={history} may={may} present={digest} />
  )
}

/** A hosted tag that is no more, and what it was. */
export function DeletedTagPage(props: Omit<HistoryProps, 'present' | 'isHosted'>) {
  const { frame, name, tag } = props
  return (
    <Page frame={frame} title={`${name}:${tag}`}>
      <p class="crumb">
        <a href={repositoryPath(name)}>{name}</a>
      </p>
      <div class="title">
        <h1>{tag}</h1>
      </div>
      <Notice tone="warn">This tag was deleted. What it meant is listed here for a while.</Notice>
      <History {...props} isHosted present={undefined} />
    </Page>
  )
}

/** Tags that were deleted lately, for those who may bring them back. */
export function DeletedTags({ name, tags, now }: { name: RepositoryName; tags: readonly DeletedTag[]; now: number }) {
  if (tags.length === 0) return null
  return (
    <Section id="deleted" title="Deleted lately">
      <ul class="deleted">
        {tags.map(({ tag, deletedAt }) => (
          <li>
            <a href={imagePath(name, tag)}>{tag}</a>{' '}
            <span class="faint">
              <Ago time={deletedAt} now={now} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}
