import { Cron } from 'croner'

/** The next time of a schedule after another, both in milliseconds since 1970; undefined where there is none. In UTC. */
export function nextTime(schedule: string, after: number): number | undefined {
  return new Cron(schedule, { mode: '5-part', timezone: 'UTC', paused: true }).nextRun(new Date(after))?.getTime()
}
