import { bytesOf } from '../config/file-kinds.ts'
import type { Draft } from './draft.ts'
import type { Scope } from './nginx-scope.ts'
import type { Report } from './report.ts'
import { durationIn, integerIn, sizeIn } from './units.ts'

/** Directives for the whole gateway. */
export function nginxProcess(scope: Scope, draft: Draft): void {
  const { limits, trustProxy } = draft
  const workers = scope.last('worker_processes')?.args[0]
  if (workers === 'auto') draft.workers = 'auto'
  else if (integerIn(workers, 2, 1024) !== undefined) draft.workers = Number(workers)
  const connections = integerIn(scope.last('worker_connections')?.args[0], 1, 1_000_000_000)
  if (connections !== undefined) limits.connections = connections
  for (const {
    args: [address = ''],
  } of scope.all('set_real_ip_from'))
    if (/^[0-9A-Fa-f.:]+(?:\/\d{1,3})?$/.test(address)) trustProxy.push(address)
}

/** Limits of the connections and the heads of clients, which a `server` may set. */
export function nginxLimits(scope: Scope, limits: Draft['limits'], report: Report): void {
  const idle = durationIn(scope.last('keepalive_timeout')?.args[0] ?? '', 's')
  if (idle !== undefined) limits.keepAlive = idle
  const head = durationIn(scope.last('client_header_timeout')?.args[0] ?? '', 's')
  if (head !== undefined) limits.headersTimeout = head
  const send = durationIn(scope.last('send_timeout')?.args[0] ?? '', 's')
  if (send !== undefined) limits.sendTimeout = send
  const buffers = scope.last('large_client_header_buffers')
  const [count = '', size = ''] = buffers?.args ?? []
  if (buffers === undefined) return
  const total = Math.floor((bytesOf(sizeIn(size)) * Number(count)) / 1_024)
  if (total >= 1 && total <= 16_384) limits.headers = `${total}KiB`
  else report.lost(buffers, 'a head of limpet has 1 KiB to 16 MiB')
}
