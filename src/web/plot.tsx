import { scaleLinear, scaleUtc } from 'd3-scale'
import { area, curveStepAfter } from 'd3-shape'
import { bytes, count } from './format.ts'

export interface Series {
  readonly label: string
  /** Its class; the style sheet knows the colours. */
  readonly tone: 'whole' | 'part'
  readonly values: readonly { readonly at: number; readonly value: number }[]
}

export interface PlotProps {
  title: string
  unit: 'bytes' | 'count'
  /** Milliseconds since 1970. */
  from: number
  to: number
  /** The length of a span, in milliseconds. */
  step: number
  /** The later are drawn over the earlier. */
  series: readonly Series[]
}

const width = 360
const height = 130
const margin = { left: 46, right: 6, top: 8, bottom: 20 }

/** Figures over time, drawn here: what a browser gets is a picture with a title that says the sums. */
export function Plot({ title, unit, from, to, step, series }: PlotProps) {
  const highest = Math.max(3, ...series.flatMap(({ values }) => values.map(({ value }) => value)))
  // Ticks are round in the unit they are told in.
  const power = unit === 'bytes' ? 1024 ** Math.floor(Math.log2(highest) / 10) : 1
  const x = scaleUtc([from, to], [margin.left, width - margin.right])
  const y = scaleLinear([0, highest / power], [height - margin.bottom, margin.top]).nice(3)
  const say = unit === 'bytes' ? bytes : count
  const sums = series.map(({ label, values }) => `${label} ${say(values.reduce((all, { value }) => all + value, 0))}`)
  const formatTime = step < 3_600_000 ? timeOfDay : dayOfMonth
  return (
    <figure class="plot">
      <figcaption>
        <strong>{title}</strong>
        {series.map(({ label, tone }) => (
          <span class={`key ${tone}`}>{label}</span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${title}: ${sums.join(', ')}`}>
        {y.ticks(3).map((tick) => (
          <g class="tick">
            <line x1={margin.left} x2={width - margin.right} y1={y(tick)} y2={y(tick)} />
            <text x={margin.left - 6} y={y(tick) + 3} text-anchor="end">
              {say(tick * power)}
            </text>
          </g>
        ))}
        {x.ticks(4).map((tick) => (
          <text class="tick" x={Math.min(x(tick), width - 16)} y={height - 5} text-anchor="middle">
            {formatTime(tick)}
          </text>
        ))}
        {series.map(({ tone, values }) => (
          <path
            class={tone}
            d={shape(
              { values, step, to },
              (at) => x(at),
              (value) => y(value / power),
            )}
          />
        ))}
      </svg>
    </figure>
  )
}

/** Each span as high as its sum, and the ground where there is none. */
function shape(
  { values, step, to }: { values: Series['values']; step: number; to: number },
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  const points: { at: number; value: number }[] = []
  values.forEach(({ at, value }, index) => {
    points.push({ at, value })
    const next = values[index + 1]
    if (!next || next.at > at + step) points.push({ at: Math.min(to, at + step), value: 0 })
  })
  const draw = area<{ at: number; value: number }>()
    .x(({ at }) => rounded(x(at)))
    .y0(y(0))
    .y1(({ value }) => rounded(y(value)))
    .curve(curveStepAfter)
  return draw(points) ?? ''
}

const timeOfDay = (time: Date): string => time.toISOString().slice(11, 16)
const dayOfMonth = (time: Date): string => time.toISOString().slice(5, 10)
const rounded = (value: number): number => Math.round(value * 10) / 10
