// What Hono and its Node adapter can do at best: the same bytes from memory, whatever is asked.
import { readFileSync } from 'node:fs'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const [port, file, type, digest] = process.argv.slice(2)
const bytes = new Uint8Array(readFileSync(file!))
const headers = {
  'Content-Type': type!,
  'Content-Length': String(bytes.length),
  'Docker-Content-Digest': digest!,
  ETag: `"${digest}"`,
  'Docker-Distribution-Api-Version': 'registry/2.0',
}

const app = new Hono().all('*', (c) => c.body(bytes, 200, headers))
serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' })
