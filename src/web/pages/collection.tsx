import type { Going } from '../../admin/admin.ts'
import { bytes, counted } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { Action, Notice, Table } from '../parts.tsx'

export interface CollectionProps {
  frame: Frame
  going: readonly Going[]
  done: string | undefined
}

/** What nothing reaches of what is hosted, and why it may go. */
export function CollectionPage({ frame, going, done }: CollectionProps) {
  const size = going.reduce((sum, thing) => sum + thing.size, 0)
  return (
    <Page frame={frame} title="Collection" administration="/cache">
      <p class="crumb">
        <a href="/cache">Cache</a>
      </p>
      <h1>Collection</h1>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      <Section
        id="going"
        title={
          going.length === 0 ? 'Nothing would go now' : `${counted(going.length, 'thing')} would go, ${bytes(size)}`
        }
        aside={going.length > 0 && <Action frame={frame} action="collect" label="Collect now" danger />}
      >
        {going.length > 0 && (
          <Table columns={[['Repository'], ['What'], ['Why'], ['Size', 'number']]}>
            {going.map(({ repository, what, why, size }) => (
              <tr>
                <th scope="row" class="break">
                  {repository}
                </th>
                <td class="break">{what}</td>
                <td>{why}</td>
                <td class="number">{bytes(size)}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
    </Page>
  )
}
