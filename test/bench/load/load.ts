import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { isInstalled, pinned } from '../servers/process.ts'
import { Connection, expectSuccess } from './connection.ts'

const exec = promisify(execFile)
const wrk = isInstalled('wrk')

/** What makes small requests: wrk where there is one, else our own client, which is slower itself. */
export const generator = wrk ? 'wrk' : 'own client'

export interface Load {
  url: string
  path: string
  connections: number
  seconds: number
  /** Sent with each request. */
  authorization?: string
}

/** Requests answered a second, as many as go. */
export async function requestRate(load: Load): Promise<number> {
  return wrk ? wrkRate(load) : (await ownLoad(load)).requests / load.seconds
}

/** Bytes of bodies a second. Always by our own client: wrk reads 8 KiB at a time and would measure itself. */
export async function byteRate(load: Load): Promise<number> {
  const started = performance.now()
  const { bytes } = await ownLoad(load)
  return bytes / ((performance.now() - started) / 1000)
}

async function wrkRate({ url, path, connections, seconds, authorization }: Load): Promise<number> {
  const headers = authorization === undefined ? [] : ['-H', `Authorization: ${authorization}`]
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s', ...headers]
  const command = pinned('load', ['wrk', ...options, url + path])
  const { stdout } = await exec(command[0]!, command.slice(1))
  const failed = /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(stdout)
  if (failed) throw new Error(`${url}${path}: ${failed[0]}`)
  return Number(/Requests\/sec: +([\d.]+)/.exec(stdout)![1])
}

async function ownLoad({
  url,
  path,
  connections,
  seconds,
  authorization,
}: Load): Promise<{ requests: number; bytes: number }> {
  const end = performance.now() + seconds * 1000
  const total = { requests: 0, bytes: 0 }
  const client = async () => {
    const connection = new Connection(url, undefined, authorization)
    while (performance.now() < end) {
      total.bytes += expectSuccess(await connection.get(path), path).bytes
      total.requests++
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, client))
  return total
}

/** Latencies in milliseconds of requests that come at a steady pace, so that the queue is the server's and not the load's. */
export async function latencies({ url, path, connections, seconds }: Load, pause = 5): Promise<number[]> {
  const end = performance.now() + seconds * 1000
  const seen: number[] = []
  const client = async () => {
    const connection = new Connection(url)
    while (performance.now() < end) {
      seen.push(expectSuccess(await connection.get(path), path).total)
      await sleep(pause)
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, client))
  return seen
}
