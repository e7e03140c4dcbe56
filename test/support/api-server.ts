import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EndpointSlice } from './endpoint-slice.ts'
import { testCertificate } from './tls.ts'

const PATH = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'

/** A request that it has had. */
export interface ApiRequest {
  readonly what: 'list' | 'watch' | 'other'
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string | undefined
}

/** Answers instead of the server. @returns false: the server is to answer */
type Script = (request: ApiRequest, response: ServerResponse) => boolean

/**
 * The part of a Kubernetes API server that EndpointSlices need, over TLS: lists and watches with versions, bookmarks, 410,
 * and tokens; and whatever else a test scripts.
 */
export class ApiServer {
  readonly requests: ApiRequest[] = []
  /** Which token it takes. */
  token = 'first-token'
  script: Script = () => false
  readonly #server: Server
  readonly #folder: string
  readonly #slices = new Map<string, EndpointSlice>()
  readonly #watches = new Map<ServerResponse, string>()
  #history: { readonly version: number; readonly service: string; readonly line: string }[] = []
  #version = 100
  /** Versions before it are forgotten. */
  #oldest = 0

  private constructor(server: Server) {
    this.#server = server
    this.#folder = mkdtempSync(join(tmpdir(), 'limpet-api-server-'))
    this.writeToken(this.token)
    writeFileSync(join(this.#folder, 'ca.crt'), testCertificate.cert)
  }

  static async start(): Promise<ApiServer> {
    const server = createServer(testCertificate)
    const api = new ApiServer(server)
    server.on('request', (request, response) => api.#answer(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return api
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Watches that are open. */
  get watches(): number {
    return this.#watches.size
  }

  count(what: ApiRequest['what']): number {
    return this.requests.filter(request => request.what === what).length
  }

  /** The path of a kubeconfig for it, whose token and certificate stand in files beside it. */
  get kubeconfig(): string {
    const path = join(this.#folder, 'kubeconfig.yaml')
    writeFileSync(
      path,
      `apiVersion: v1
kind: Config
current-context: test
clusters:
  - name: test
    cluster: { server: 'https://127.0.0.1:${this.port}', certificate-authority: ca.crt }
users:
  - name: gateway
    user: { tokenFile: token }
contexts:
  - name: test
    context: { cluster: test, user: gateway, namespace: default }
`,
    )
    return path
  }

  /** As the kubelet does it before a token expires. */
  writeToken(token: string): void {
    writeFileSync(join(this.#folder, 'token'), `${token}\n`)
  }

  set(...slices: readonly EndpointSlice[]): void {
    for (const slice of slices) {
      const isKnown = this.#slices.has(slice.metadata.name)
      const versioned = this.#stamped(slice)
      this.#slices.set(slice.metadata.name, versioned)
      this.#publish(isKnown ? 'MODIFIED' : 'ADDED', versioned)
    }
  }

  delete(name: string): void {
    const slice = this.#slices.get(name)
    if (slice === undefined) throw new Error(`there is no slice ${name}`)
    this.#slices.delete(name)
    this.#publish('DELETED', this.#stamped(slice))
  }

  /** Another object has changed, and watches are told how far they are. */
  bookmark(): void {
    this.#version += 1
    const object = { kind: 'EndpointSlice', metadata: { resourceVersion: String(this.#version) } }
    this.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`)
  }

  /** Forgets all events that were, as etcd does when it compacts. */
  compact(): void {
    this.#version += 1
    this.#history = []
    this.#oldest = this.#version
  }

  /** To all watches, as it is. */
  write(text: string): void {
    for (const watch of this.#watches.keys()) watch.write(text)
  }

  /** Ends all watches in good order, as the API server does after `timeoutSeconds`. */
  endWatches(): void {
    for (const watch of this.#watches.keys()) watch.end()
  }

  /** Cuts their connections. */
  cutWatches(): void {
    for (const watch of this.#watches.keys()) watch.socket?.destroy()
  }

  /** Changes something that no watch is told of. */
  setUnseen(...slices: readonly EndpointSlice[]): void {
    this.#watches.clear()
    this.set(...slices)
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** Again on the port that it had. */
  async restart(port: number): Promise<void> {
    this.#watches.clear()
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #stamped(slice: EndpointSlice): EndpointSlice {
    this.#version += 1
    return { ...slice, metadata: { ...slice.metadata, resourceVersion: String(this.#version) } }
  }

  #publish(type: string, object: EndpointSlice): void {
    const service = object.metadata.labels['kubernetes.io/service-name'] ?? ''
    const line = `${JSON.stringify({ type, object })}\n`
    this.#history.push({ version: this.#version, service, line })
    for (const [watch, watched] of this.#watches) if (watched === service) watch.write(line)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'https://api')
    const { authorization } = request.headers
    const isOurs = pathname === PATH
    const what = !isOurs ? 'other' : query.get('watch') === '1' ? 'watch' : 'list'
    const asked: ApiRequest = { what, path: pathname, query, authorization }
    this.requests.push(asked)
    response.on('error', () => undefined)
    if (this.script(asked, response)) return
    if (authorization !== `Bearer ${this.token}`) status(response, 401, 'Unauthorized')
    else if (!isOurs) status(response, 403, `endpointslices.discovery.k8s.io is forbidden in ${pathname}`)
    else if (what === 'list') this.#list(query, response)
    else this.#watch(query, response)
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const service = serviceOf(query)
    const items = [...this.#slices.values()].filter(
      ({ metadata }) => metadata.labels['kubernetes.io/service-name'] === service,
    )
    const metadata = { resourceVersion: String(this.#version) }
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({ kind: 'EndpointSliceList', apiVersion: 'discovery.k8s.io/v1', metadata, items }),
    )
  }

  #watch(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'))
    if (from < this.#oldest) {
      status(response, 410, `too old resource version: ${from} (${this.#oldest})`)
      return
    }
    const service = serviceOf(query)
    response.setHeader('content-type', 'application/json')
    response.flushHeaders()
    for (const { version, service: of, line } of this.#history)
      if (version > from && of === service) response.write(line)
    this.#watches.set(response, service)
    response.on('close', () => this.#watches.delete(response))
  }
}

/** As the API server explains an error. */
export function statusObject(code: number, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }
}

export function status(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify(statusObject(code, message)))
}

function serviceOf(query: URLSearchParams): string {
  return (query.get('labelSelector') ?? '').replace('kubernetes.io/service-name=', '')
}
