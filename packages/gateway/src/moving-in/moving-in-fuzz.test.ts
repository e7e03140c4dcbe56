import fc from 'fast-check'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type Format, FORMATS } from './format.ts'
import { moveIn } from './move-in.ts'
import { BrokenFileError } from './statement.ts'

const FOLDER = fileURLToPath(new URL('fixtures/', import.meta.url))
const FILES = globSync('*', { cwd: FOLDER }).map(name => readFileSync(`${FOLDER}${name}`, 'utf8'))

/** Words that the readers and mappers know, so that garbage gets past the first of them. */
const WORDS: Readonly<Record<Format, readonly string[]>> = {
  nginx: [
    'http {',
    'upstream a {',
    'server {',
    'location / {',
    'location ~ x {',
    '}',
    ';',
    'server 10.0.0.1:80',
    'server a',
    'server unix:/a',
    'route=a|b',
    'route="',
    'weight=300',
    'resolve',
    'service=x',
    'sticky cookie',
    'a',
    'expires=',
    'expires=9999999d',
    'domain=',
    'path=x',
    'samesite=x',
    'sticky learn',
    'create=$cookie_a',
    'sticky route',
    '$arg_x',
    'hash $arg_',
    'hash $arg_a',
    'proxy_pass http://a',
    'proxy_pass https://a',
    'proxy_pass http://10.0.0.1/x',
    'proxy_set_header a "b\n"',
    'proxy_set_header',
    'add_header "é" x',
    'listen 80',
    'listen 99999',
    'listen [::]:80 ssl',
    'ssl_certificate a',
    'ssl_certificate_key b',
    'server_name a b',
    'client_max_body_size 1k',
    'map $cookie_a $b {',
    'proxy_read_timeout 99d',
    'health_check uri=',
    'set_real_ip_from 1.2.3.4/99',
    'worker_processes 9999999',
    '"',
    "'",
    '\\',
    'large_client_header_buffers 4 8k',
    'max_conns=99999999',
    'queue 0',
    'queue 9 timeout=',
    'include x',
    '$',
    '${',
    '{',
  ],
  haproxy: [
    'backend a\n',
    'frontend f\n',
    'listen l\n',
    'defaults\n',
    'global\n',
    '\n',
    'server s 10.0.0.1:80',
    'server s',
    ' check',
    ' cookie x;y',
    ' cookie é',
    ' cookie s',
    ' weight 999',
    ' ssl',
    ' sni str(a)',
    'cookie',
    'cookie a insert',
    ' maxidle',
    ' maxlife 999d',
    ' dynamic',
    ' domain',
    ' prefix',
    'balance',
    'balance hdr(',
    'balance hdr(a)',
    'balance hash',
    'stick on src',
    'stick store-response res.cook(a)',
    'stick match',
    'stick-table size 0 expire 1us',
    'option httpchk',
    'http-check expect status 9',
    'http-check send hdr a',
    'bind :80',
    'bind *:0',
    'bind :443 ssl crt x',
    'use_backend a if {',
    'use_backend a if x',
    'acl x path_beg y',
    'acl x hdr(host) a:b',
    'default_backend a',
    'timeout server 999d',
    'timeout',
    'http-response set-header a "b',
    'http-response set-header a b',
    'retries 999',
    'maxconn 0',
    'hash-balance-factor 101',
    'server-template t 1 a:1',
    'default-server',
    'from',
    '"',
    "'",
    '\\',
    '#',
  ],
  traefik: [
    'http:\n',
    '  services:\n',
    '    a:\n',
    '      loadBalancer:\n',
    '        servers:\n',
    '          - url: http://a\n',
    '          - url: "http://é:1"\n',
    '            weight: 999\n',
    '        sticky: { cookie: {} }\n',
    '        sticky: { cookie: { name: "é", maxAge: -1, domain: "" } }\n',
    '        healthCheck: { path: x, interval: 0 }\n',
    '  routers:\n',
    '    r: { rule: "Host(`a`)", service: a }\n',
    '    r: { rule: 7, service: a, tls: {} }\n',
    'entryPoints: { web: { address: x, forwardedHeaders: { trustedIPs: [x] } } }\n',
    '[http.services.a]\n',
    '[[a]]\n',
    'a = 1\n',
    '&a',
    '*a',
    '<<: *a\n',
    '{',
    '}',
    '[',
    ']',
    '? ',
    '- ',
    '!!binary x\n',
    '---\n',
    '"',
    "'",
    '\t',
    '\u0000',
  ],
  caddy: [
    '{\n',
    '}\n',
    ':80 {\n',
    'a.example {\n',
    'reverse_proxy',
    ' 10.0.0.1:80',
    ' é',
    ' unix//a',
    ' :99999',
    ' {\n',
    '\n',
    'lb_policy cookie',
    ' a;b',
    'lb_policy header',
    'lb_policy header x\n',
    'max_age x\n',
    'health_uri x\n',
    'health_uri /é\n',
    'health_body é\n',
    'fail_duration 0\n',
    'max_fails 0\n',
    'unhealthy_status 99\n',
    'header_up',
    ' -',
    ' X-A "\n"',
    'transport http {\n',
    'tls_server_name é\n',
    'tls_trusted_ca_certs x\n',
    'handle /a* {\n',
    'handle @m {\n',
    '@m path /a b\n',
    'tls a b\n',
    'dynamic srv x\n',
    'dynamic a x y\n',
    'servers {\n trusted_proxies static x\n}\n',
    '<<A\n',
    'A\n',
    '"',
    '`',
    '\\\n',
    'lb_retries 999\n',
    'request_body {\n max_size 1kb\n}\n',
    '#',
    'unhealthy_request_count 9999999\n',
  ],
  ingress: [
    'kind: Ingress\n',
    'kind: List\nitems:\n',
    'metadata:\n',
    '  namespace: x/y\n',
    '  annotations:\n',
    '    nginx.ingress.kubernetes.io/affinity: cookie\n',
    '    nginx.ingress.kubernetes.io/affinity-mode: persistent\n',
    '    nginx.ingress.kubernetes.io/session-cookie-name: "é"\n',
    '    nginx.ingress.kubernetes.io/session-cookie-domain: ""\n',
    '    nginx.ingress.kubernetes.io/session-cookie-max-age: "-1"\n',
    '    nginx.ingress.kubernetes.io/upstream-hash-by: $arg_\n',
    '    nginx.ingress.kubernetes.io/backend-protocol: GRPC\n',
    'spec:\n',
    '  defaultBackend: { service: { name: a, port: { number: 0 } } }\n',
    '  defaultBackend: { service: { name: a, port: { name: x } } }\n',
    '  rules:\n',
    '    - host: a\n',
    '      http: { paths: [] }\n',
    '---\n',
    '[',
    '{',
    '&a',
    '*a',
    '- ',
    '"',
    '\t',
  ],
}

/** A text is read, or refused with a line of a message. A file that was read is valid for limpet. */
function expectTaken(text: string, format: Format): void {
  expect(outcomeOf(text, format)).toMatch(/^(?:taken|line \d+: .+)$/)
}

function outcomeOf(text: string, format: Format): string {
  try {
    const { text: file, problems } = moveIn('x', text, format)
    return problems.length === 0 && Object.hasOwn(parse(file), 'pools') ? 'taken' : problems.join('\n')
  } catch (error) {
    if (error instanceof BrokenFileError) return error.message
    throw error
  }
}

describe.each(FORMATS)('garbage as a file of %s', format => {
  it('of words that it knows', () => {
    const word = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...WORDS[format]) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), fc.constantFrom(' ', '', '\n', ';\n'), (words, mark) => {
        expectTaken(words.join(mark), format)
      }),
      { numRuns: 300 },
    )
  })

  it('of any characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => expectTaken(text, format)))
  })

  it('of a good file with a piece cut out', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FILES), fc.nat(), fc.nat(60), (text, at, length) => {
        const start = at % text.length
        expectTaken(text.slice(0, start) + text.slice(start + length), format)
      }),
    )
  })

  it.each([
    ['braces', '{'],
    ['closing braces', '}'],
    ['brackets', '['],
    ['quotes', '"'],
    ['open variables', '${'],
    ['backslashes', '\\'],
    ['short lines', 'a\n'],
    ['long words', 'a'],
    ['heredocs', '<<A\n'],
    ['list items', '- '],
    ['keys', 'a: '],
    ['tables', '[a.b]\n'],
  ])('of many %s ends soon', (_, piece) => {
    expectTaken(piece.repeat(100_000 / piece.length), format)
  })
})
