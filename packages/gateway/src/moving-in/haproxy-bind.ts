import type { Draft } from './draft.ts'
import { type ListenAddress, listenIn, listenText } from './endpoint.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

export interface Frontend {
  readonly section: Statement
  readonly lines: readonly Statement[]
}

interface Bind extends ListenAddress {
  readonly statement: Statement
  readonly section: Statement
  readonly words: readonly string[]
}

/** Parameters of a `bind` that have a value behind them, and mean nothing here. */
const WITH_VALUE =
  /^(?:crt|alpn|name|backlog|maxconn|mode|user|group|uid|gid|id|process|thread|nice|mss|interface|tcp-ut|proto|tls-ticket-keys|shards|level|ssl-min-ver|ssl-max-ver|ciphers|ciphersuites|curves|ca-file|verify|npn)$/
const QUIET =
  /^(?:ssl|crt|alpn|name|backlog|maxconn|process|thread|nice|mss|tcp-ut|proto|tls-ticket-keys|shards|transparent|defer-accept|tfo|no-sslv3|no-tlsv\d\d|no-tls-tickets|strict-sni|v4v6|v4only|v6only|prefer-client-ciphers|npn)$/

/**
 * limpet listens on one address: the first with TLS, else the first.
 * @returns the sections that listen there; the others are reported
 */
export function haproxyBind(fronts: readonly Frontend[], draft: Draft, report: Report): readonly Statement[] {
  const binds = fronts.flatMap(front => bindsOf(front, report))
  const chosen = binds.find(({ words }) => words.includes('ssl')) ?? binds[0]
  if (chosen === undefined) return fronts.map(({ section }) => section)
  for (const bind of binds.filter(({ port, section }) => port !== chosen.port && section === chosen.section))
    report.lost(bind.statement, `limpet listens on one address, ${listenText(chosen)}`)
  setListen(chosen, draft, report)
  return fronts.flatMap(({ section }) => {
    const isThere = binds.some(bind => bind.section === section && bind.port === chosen.port)
    if (!isThere)
      report.lost(
        section,
        `limpet listens on one address, ${listenText(chosen)}`,
        `${section.name} ${section.args[0] ?? ''}`,
      )
    return isThere ? [section] : []
  })
}

function bindsOf({ section, lines }: Frontend, report: Report): readonly Bind[] {
  // `listen web 0.0.0.0:80` has its address in the line of the section.
  const inline: Statement[] =
    section.args[1]?.includes(':') === true ? [{ ...section, args: section.args.slice(1) }] : []
  return [...inline, ...lines.filter(({ name }) => name === 'bind')].flatMap(statement => {
    report.take(statement)
    const [addresses = '', ...words] = statement.args
    for (const word of namesOf(words))
      if (!QUIET.test(word)) report.lost(statement, 'limpet has no such parameter', `bind … ${word}`)
    return addresses.split(',').flatMap(text => {
      const known = listenIn(text.replace(/^(?:ipv4|ipv6|tcp4?|tcp6)@/, '').replace(/^:::/, '[::]:'))
      if (known === undefined) report.lost(statement, 'limpet listens on a TCP address and port')
      return known === undefined ? [] : [{ ...known, statement, section, words }]
    })
  })
}

function namesOf(words: readonly string[]): readonly string[] {
  return words.filter((_, index) => !WITH_VALUE.test(words[index - 1] ?? ''))
}

function setListen({ host, port, words, statement }: Bind, draft: Draft, report: Report): void {
  const files = words.filter((_, index) => words[index - 1] === 'crt')
  const [pem] = files
  if (!words.includes('ssl') || pem === undefined) {
    draft.listen = listenText({ host, port })
    return
  }
  if (files.length > 1 || pem.endsWith('/'))
    report.lost(statement, 'limpet has one certificate; the first is taken', 'bind … crt')
  const http2 = (words[words.indexOf('alpn') + 1] ?? '').split(',').includes('h2') && words.includes('alpn')
  // HAProxy keeps certificate and key in one file, which limpet reads as both.
  draft.listen = { host, port, tls: { cert: pem, key: pem }, ...(http2 && { http2 }) }
}
