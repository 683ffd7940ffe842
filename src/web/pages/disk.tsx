import type { CacheView } from '../../admin/admin.ts'
import { bytes, visible } from '../format.ts'
import { Section, type Frame } from '../layout.tsx'
import { imagePath, repositoryPath } from '../links.ts'
import { Action, Ago, ShortDigest, Table } from '../parts.tsx'

/** What is evicted first, when room is needed. */
export function Evictions({ frame, view: { next } }: { frame: Frame; view: CacheView }) {
  return (
    <Section
      id="evictions"
      title="Evicted next"
      aside={<Action frame={frame} action="evict" label="Evict to the limits now" />}
    >
      {next.length === 0 ? (
        <p class="faint">No cached blob is on the disk.</p>
      ) : (
        <Table columns={[['Blob', 'extra'], ['Of'], ['Last used'], ['Size', 'number']]}>
          {next.map(({ digest, name, usedAt, size }) => (
            <tr>
              <th scope="row" class="extra">
                <ShortDigest digest={digest} />
              </th>
              <td class="break">
                {name === undefined ? (
                  <span class="faint">nothing known</span>
                ) : (
                  <a href={repositoryPath(name)}>{name}</a>
                )}
              </td>
              <td>
                <Ago time={usedAt} now={frame.now} />
              </td>
              <td class="number">{bytes(size)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  )
}

/** What is never evicted. */
export function Pins({ frame, view: { pins } }: { frame: Frame; view: CacheView }) {
  return (
    <Section id="pins" title="Never evicted">
      <ul class="pins">
        {pins.settings.map((pattern) => (
          <li>
            <code>{pattern}</code> <span class="faint">in the settings</span>
          </li>
        ))}
        {pins.added.map((pattern) => (
          <li>
            <code>{pattern}</code> <Action frame={frame} action="unpin" label="Unpin" values={{ pattern }} />
          </li>
        ))}
      </ul>
      <form method="post" class="inline">
        <input type="hidden" name="token" value={frame.formToken} />
        <input type="hidden" name="action" value="pin" />
        <label>
          Pattern <input name="pattern" required placeholder="docker.io/library/node:20*" maxlength={300} />
        </label>
        <button type="submit">Pin</button>
      </form>
    </Section>
  )
}

/** Tags that mean what somebody set them to. */
export function TagPins({ frame, view: { pins } }: { frame: Frame; view: CacheView }) {
  if (pins.tags.length === 0) return null
  return (
    <Section id="tag-pins" title="Pinned to a digest">
      <Table columns={[['Tag'], ['Digest'], ['Since'], ['By', 'extra'], ['Release']]}>
        {pins.tags.map(({ name, tag, digest, pinnedAt, by }) => (
          <tr>
            <th scope="row" class="break">
              <a href={imagePath(name, tag)}>
                {name}:{tag}
              </a>
            </th>
            <td>
              <ShortDigest digest={digest} href={imagePath(name, digest)} />
            </td>
            <td>
              <Ago time={pinnedAt} now={frame.now} />
            </td>
            <td class="extra">{by === undefined ? '–' : visible(by)}</td>
            <td>
              <Action
                frame={frame}
                action="release"
                label="Release"
                title={`Release ${name}:${tag}`}
                values={{ name, tag }}
              />
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}
