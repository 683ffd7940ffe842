// The distribution API over HTTP. Reads a request, asks access, calls the registry, writes the answer; decides nothing else.
import { Hono } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import type { Access, Identity } from '../access/access.ts'
import { RegistryError } from '../oci/errors.ts'
import { isTag, type RepositoryName } from '../oci/reference.ts'
import type { Registry, Soon } from '../oci/registry.ts'
import { blob } from './blobs.ts'
import { apiVersion, Call, type ApiContext, type Serving } from './call.ts'
import { catalog } from './catalog.ts'
import type { ReportRequest } from './events.ts'
import { createForwarded, type Forwarded } from './forwarded.ts'
import { referrers, tags } from './lists.ts'
import { dated, manifest } from './manifests.ts'
import { putManifest } from './push-manifest.ts'
import { noSuchPath, parsePath, type ApiRequest } from './request.ts'
import { Sender } from './send.ts'
import { token } from './token.ts'
import { upload, wrongMethod } from './uploads.ts'

export type { RequestEvent } from './events.ts'
export { createForwarded, type Forwarded } from './forwarded.ts'

type InRepository = Exclude<ApiRequest, { kind: 'base' | 'catalog' | 'upload' }>

/** The registry served: it says which repository a client's address means. */
export interface ServedRegistry extends Registry {
  /** Whether the address of the API is that of one upstream: a client's mirror. */
  isMirror(address: { prefix?: string; host?: string }): boolean
  locate(address: {
    path: string
    prefix?: string | undefined
    ns?: string | undefined
    host?: string | undefined
  }): RepositoryName
}

export interface ApiOptions {
  registry: ServedRegistry
  access: Access
  /** The URL that clients use, for answers that name one; else they name paths alone. */
  publicUrl?: string | undefined
  /** Where clients are and what they call this server; by itself it believes no proxy. */
  forwarded?: Forwarded
  report?: ReportRequest
  now?: () => number
}

/** Routes everything under `/v2/` and `/<prefix>/v2/`. Other paths fall through to what is routed behind it, or are 404. */
export function apiApp(options: ApiOptions): Hono<{ Bindings: HttpBindings }> {
  const { registry, access, publicUrl, report = () => {}, now = Date.now } = options
  const { forwarded = createForwarded({ publicUrl }) } = options
  const serving: Serving = { access, sender: new Sender(), report, publicUrl, now, forwarded }

  function answer(c: ApiContext): Soon<Response> | undefined {
    const call = new Call(c, serving)
    try {
      const answered = call.path === '/token' ? issue(call) : handle(call)
      return answered instanceof Promise ? answered.catch((error: unknown) => call.replyError(error)) : answered
    } catch (error) {
      return call.replyError(error)
    }
  }

  function issue(call: Call): Promise<Response> {
    call.route = 'token'
    const ns = call.query.get('ns') ?? undefined
    return token(call, access, (path) => located({ path, ns, host: call.incoming.headers.host }))
  }

  function handle(call: Call): Soon<Response> | undefined {
    const request = parsePath(call.path)
    if (!request) return undefined
    call.route = request.kind
    const identity = access.identify(call.incoming.headers.authorization, call.address)
    return identity instanceof Promise
      ? identity.then((known) => enter(call, request, known))
      : enter(call, request, identity)
  }

  // The one guard. Nothing is looked up, and no name is told from another, before access has agreed.
  function enter(call: Call, request: ApiRequest, identity: Identity): Soon<Response> {
    call.identity = identity
    if (request.kind === 'base') {
      access.enter(identity, registry.isMirror(addressOf(call, request.prefix)))
      expectReading(call)
      return call.replyJson({}, {})
    }
    if (request.kind === 'catalog') {
      access.enterCatalog(identity)
      expectReading(call)
      return catalog(call, registry, (name) => access.mayList(identity, name))
    }
    call.at = request.at
    call.action = actionOf(call.method, request)
    access.expectServed(identity)
    const { path, prefix } = request.at
    if (call.search !== '') call.ns = call.query.get('ns') ?? undefined
    call.name = registry.locate({ path, prefix, ns: call.ns, host: call.incoming.headers.host })
    if (call.ns !== undefined) call.extra = { 'OCI-Namespace': call.ns }
    const allowed = access.may(identity, call.action, { name: call.name, path })
    return allowed ? allowed.then(() => serve(call, request)) : serve(call, request)
  }

  function serve(call: Call, request: Exclude<ApiRequest, { kind: 'base' | 'catalog' }>): Soon<Response> {
    if (request.kind === 'upload')
      return upload(call, registry, request, (name) => access.maySource(call.identity!, name))
    return call.method === 'GET' || call.head ? read(call, request) : change(call, request)
  }

  function read(call: Call, request: InRepository): Soon<Response> {
    switch (request.kind) {
      case 'manifest':
        if (isTag(request.reference)) call.tag = request.reference
        return manifest(call, registry, request.reference)
      case 'dated':
        return dated(call, registry, request)
      case 'blob':
        return blob(call, registry, request.digest)
      case 'tags':
        return tags(call, registry, request.at)
      case 'referrers':
        return referrers(call, registry, request.digest)
    }
  }

  async function change(call: Call, request: InRepository): Promise<Response> {
    if (request.kind === 'manifest') {
      if (call.method === 'PUT') return putManifest(call, registry, request)
      if (call.method !== 'DELETE') throw wrongMethod(call, 'GET, HEAD, PUT, DELETE')
      await registry.deleteManifest(call.name, request.reference, call.identity?.user)
    } else if (request.kind === 'blob') {
      if (call.method !== 'DELETE') throw wrongMethod(call, 'GET, HEAD, DELETE')
      await registry.deleteBlob(call.name, request.digest)
    } else throw wrongMethod(call, 'GET, HEAD')
    return call.reply(202, { ...apiVersion, 'Content-Length': '0' }, null)
  }

  function located(address: Parameters<ServedRegistry['locate']>[0]): RepositoryName | undefined {
    try {
      return registry.locate(address)
    } catch (error) {
      if (error instanceof RegistryError) return undefined
      throw error
    }
  }

  const app = new Hono<{ Bindings: HttpBindings }>()
  app.all('*', (c, next) => answer(c) ?? next())
  app.notFound((c: ApiContext) => new Call(c, serving).replyError(noSuchPath(c.req.path)))
  return app
}

function actionOf(method: string, request: ApiRequest): 'pull' | 'push' | 'delete' {
  if (request.kind === 'upload') return 'push'
  if (method === 'DELETE') return 'delete'
  return method === 'PUT' || method === 'POST' || method === 'PATCH' ? 'push' : 'pull'
}

function expectReading(call: Call): void {
  if (call.method !== 'GET' && !call.head) throw wrongMethod(call, 'GET, HEAD')
}

const addressOf = (call: Call, prefix: string) => ({ prefix, ...optional('host', call.incoming.headers.host) })

const optional = <K extends string>(key: K, value: string | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [k in K]?: string }
