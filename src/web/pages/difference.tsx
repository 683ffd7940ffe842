import type { Difference, LayerChange, PackageComparison } from '../../admin/admin.ts'
import type { Digest } from '../../oci/digest.ts'
import { bytes, counted, visible } from '../format.ts'
import { Section } from '../layout.tsx'
import { ShortDigest } from '../parts.tsx'
import { PackageChanges } from './packages.tsx'

export interface Compared {
  readonly from: Digest
  readonly to: Digest
  readonly difference: Difference
  readonly packages: PackageComparison
}

/** What changed from one digest to another. */
export function DifferenceSection({ compared, here }: { compared: Compared; here: string }) {
  const { from, to, difference, packages } = compared
  const { fromSize, toSize, sharedSize, layers, config } = difference
  const shared = layers.filter(({ side }) => side === 'both').length
  return (
    <Section id="difference" title="What changed">
      <p>
        From <ShortDigest digest={from} /> to <ShortDigest digest={to} />: {bytes(fromSize)} → {bytes(toSize)}, of which{' '}
        {bytes(sharedSize)} in {counted(shared, 'layer')} stayed the same.
      </p>
      <ul class="changes">
        {layers
          .filter(({ side }) => side !== 'both')
          .map((layer) => (
            <LayerLine layer={layer} />
          ))}
        {config.map((change) => (
          <>
            {change.from !== undefined && <Line sign="−" what={change.what} value={change.from} />}
            {change.to !== undefined && <Line sign="+" what={change.what} value={change.to} />}
          </>
        ))}
      </ul>
      <PackageChanges packages={packages} here={here} />
    </Section>
  )
}

function LayerLine({ layer: { side, descriptor, command } }: { layer: LayerChange }) {
  const value = `${bytes(descriptor.size)}${command === undefined ? '' : `  ${command}`}`
  return <Line sign={side === 'to' ? '+' : '−'} what="layer" value={value} />
}

function Line({ sign, what, value }: { sign: '+' | '−'; what: string; value: string }) {
  return (
    <li class={sign === '+' ? 'added' : 'removed'}>
      <span class="sign" aria-label={sign === '+' ? 'added' : 'removed'} role="img">
        {sign}
      </span>
      <span class="what">{visible(what)}</span>
      <code>{visible(value)}</code>
    </li>
  )
}
