import type { ImageConfig } from '../../admin/admin.ts'
import { visible } from '../format.ts'
import { Section } from '../layout.tsx'

/** What the image runs, and with what around it. */
export function ConfigTable({ config }: { config: ImageConfig }) {
  const labels = Object.entries(config.labels)
  const { entrypoint, cmd, workingDir, user, ports, volumes, stopSignal, env } = config
  const isAny = [entrypoint, cmd, ports, volumes, env, workingDir, user, stopSignal].some((given) => given?.length)
  return (
    <>
      {isAny && (
        <Section id="config" title="Configuration">
          <dl class="config">
            <Line name="Entrypoint" words={config.entrypoint} />
            <Line name="Command" words={config.cmd} />
            <Line name="Working directory" words={one(config.workingDir)} />
            <Line name="User" words={one(config.user)} />
            <Line name="Ports" words={config.ports} />
            <Line name="Volumes" words={config.volumes} />
            <Line name="Stop signal" words={one(config.stopSignal)} />
          </dl>
          {config.env.length > 0 && (
            <>
              <h3>Environment</h3>
              <Pairs pairs={config.env.map(split)} />
            </>
          )}
        </Section>
      )}
      {labels.length > 0 && (
        <Section id="labels" title="Labels">
          <Pairs pairs={labels} />
        </Section>
      )}
    </>
  )
}

const one = (text: string | undefined): string[] => (text === undefined ? [] : [text])

function split(line: string): [string, string] {
  const at = line.indexOf('=')
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
}

function Line({ name, words }: { name: string; words: readonly string[] }) {
  if (words.length === 0) return null
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {words.map((word) => (
          <code>{visible(word)}</code>
        ))}
      </dd>
    </div>
  )
}

/** Names and values from elsewhere. */
export function Pairs({ pairs }: { pairs: readonly (readonly [string, string])[] }) {
  return (
    <dl class="pairs">
      {pairs.map(([name, value]) => (
        <div>
          <dt>{visible(name)}</dt>
          <dd>{visible(value)}</dd>
        </div>
      ))}
    </dl>
  )
}
