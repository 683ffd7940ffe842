import type { PackageComparison, PackageSide } from '../../admin/admin.ts'
import { bytes, counted, shortDigest, visible } from '../format.ts'
import { Notice, Table } from '../parts.tsx'

/** How many changes one page shows; the API has all. */
const most = 500

/** What changed among the packages of two images. `here` is this page's address, to look again. */
export function PackageChanges({ packages, here }: { packages: PackageComparison; here: string }) {
  return (
    <>
      <h3 id="packages">Packages</h3>
      {packages.state === 'reading' && (
        <p class="faint" data-again>
          The layers are being read: <a href={here}>look again</a> in a moment.
        </p>
      )}
      {packages.state === 'unknown' && <p class="faint">Not known: {visible(packages.why)}.</p>}
      {packages.state === 'known' && <Changes packages={packages} />}
    </>
  )
}

function Changes({
  packages: { from, to, changes, notes },
}: {
  packages: Extract<PackageComparison, { state: 'known' }>
}) {
  const sizes = from.size !== undefined && to.size !== undefined && to.count > 0
  return (
    <>
      <p>
        {counted(from.count, 'package')} → {counted(to.count, 'package')}
        {sizes && (
          <>
            , {bytes(from.size)} → {bytes(to.size)} when installed
          </>
        )}
        , by {sourceName(from)}
        {sourceName(from) !== sourceName(to) && <> and by {sourceName(to)}</>}.
      </p>
      {notes.map((note) => (
        <Notice tone="info">{visible(note)}.</Notice>
      ))}
      {changes.length === 0 ? (
        <p class="faint">All are the same.</p>
      ) : (
        <Table class="packages" columns={[['Package'], ['Was'], ['Is'], ['Grew by', 'number']]}>
          {changes.slice(0, most).map(({ kind, name, from, to, growth }) => (
            <tr>
              <th scope="row" class="break">
                {visible(name)} <span class="faint">{visible(kind)}</span>
              </th>
              <td class="break">{versions(from)}</td>
              <td class="break">{versions(to)}</td>
              <td class="number">{growth === undefined ? '–' : signed(growth)}</td>
            </tr>
          ))}
        </Table>
      )}
      {changes.length > most && <p class="faint">{counted(changes.length - most, 'more change')}: the API has all.</p>}
    </>
  )
}

const versions = (all: readonly string[]) =>
  all.length === 0 ? <span class="faint">not there</span> : visible(all.map((version) => version || '?').join(', '))

const signed = (growth: number): string => (growth < 0 ? `−${bytes(-growth)}` : bytes(growth))

function sourceName({ source }: PackageSide): string {
  return source.kind === 'layers' ? 'the layers' : `the SBOM ${shortDigest(source.digest)} (${visible(source.format)})`
}
