import type { Draft } from './draft.ts'
import { type ListenAddress, listenIn, listenText } from './endpoint.ts'
import type { Scope } from './nginx-scope.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

export interface ServerBlock {
  readonly statement: Statement
  readonly scope: Scope
}

interface Listening extends ListenAddress {
  readonly statement: Statement
  readonly flags: readonly string[]
}

const PLAIN_FLAGS =
  /^(?:default_server|default|ssl|http2|reuseport|deferred|backlog=.*|so_keepalive=.*|ipv6only=.*|fastopen=.*|rcvbuf=.*|sndbuf=.*)$/

/**
 * limpet listens on one address: the one with TLS, if a server that passes requests has it, else the first. Servers of
 * other addresses are reported.
 */
export function nginxListen(
  servers: readonly ServerBlock[],
  draft: Draft,
  report: Report,
): readonly (ServerBlock & { readonly isDefault: boolean })[] {
  const all = servers.map(server => ({ ...server, listens: listensOf(server, report) }))
  const passing = all.filter(({ statement }) => hasPass(statement.block ?? []))
  const chosen =
    passing.find(({ listens }) => listens.some(({ flags }) => flags.includes('ssl'))) ?? passing[0]
  const listen = chosen?.listens.find(({ flags }) => flags.includes('ssl')) ?? chosen?.listens[0]
  if (chosen === undefined || listen === undefined) return []
  const same = passing.filter(({ listens }) => listens.some(({ port }) => port === listen.port))
  const isSame = new Set(same)
  const isDual = same.some(({ listens }) =>
    listens.some(({ host, port }) => host === '::' && port === listen.port),
  )
  setListen(
    { ...listen, host: isDual && listen.host === '0.0.0.0' ? '::' : listen.host },
    chosen,
    draft,
    report,
  )
  for (const other of passing.filter(one => !isSame.has(one)))
    report.lost(other.statement, `limpet listens on one address, ${listenText(listen)}`)
  const marked = same.find(({ listens }) =>
    listens.some(({ flags }) => flags.includes('default_server') || flags.includes('default')),
  )
  return same.map(({ statement, scope }) => ({
    statement,
    scope,
    isDefault: statement === (marked ?? same[0])?.statement,
  }))
}

function listensOf({ statement, scope }: ServerBlock, report: Report): readonly Listening[] {
  const found = scope.own('listen').flatMap(listen => {
    report.take(listen)
    const [address = '', ...flags] = listen.args
    const known =
      /^[\d.]+$/.test(address) && address.includes('.') ? listenIn(`${address}:80`) : listenIn(address)
    if (known === undefined) {
      report.lost(listen, 'limpet listens on a TCP address and port')
      return []
    }
    for (const flag of flags)
      if (!PLAIN_FLAGS.test(flag)) report.lost(listen, 'limpet has no such parameter', `listen … ${flag}`)
    return [{ ...known, statement: listen, flags }]
  })
  return found.length > 0 || scope.own('listen').length > 0
    ? found
    : [{ host: '0.0.0.0', port: 80, statement, flags: [] }]
}

function setListen(
  { host, port, flags, statement }: Listening,
  { scope, statement: server }: ServerBlock,
  draft: Draft,
  report: Report,
): void {
  const cert = scope.last('ssl_certificate')?.args[0]
  const key = scope.last('ssl_certificate_key')?.args[0]
  for (const other of scope.own('listen').filter(one => one !== statement)) {
    const known = listenIn(other.args[0] ?? '')
    if (known !== undefined && known.port !== port)
      report.lost(other, `limpet listens on one address, ${listenText({ host, port })}`)
  }
  if (!flags.includes('ssl')) {
    draft.listen = listenText({ host, port })
    return
  }
  if (!isPath(cert) || !isPath(key)) {
    report.partly(server, 'limpet takes a certificate and a key as two files', 'ssl_certificate')
    draft.listen = listenText({ host, port })
    return
  }
  const http2 = flags.includes('http2') || scope.last('http2')?.args[0] === 'on'
  draft.listen = { host, port, tls: { cert, key }, ...(http2 && { http2 }) }
}

function hasPass(block: readonly Statement[]): boolean {
  return block.some(({ name, block: inner }) => name === 'location' && inner !== undefined && passes(inner))
}

function passes(block: readonly Statement[]): boolean {
  return block.some(({ name }) => name === 'proxy_pass') || hasPass(block)
}

/** The name of a file; a variable, or what an engine keeps, is none. */
function isPath(file: string | undefined): file is string {
  return file !== undefined && !file.includes('$') && !/^(?:data|engine|store):/.test(file)
}
