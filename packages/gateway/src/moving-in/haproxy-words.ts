import type { Loss } from './report.ts'
import type { Statement } from './statement.ts'

/** limpet does what these ask for by itself, or they are for the service manager. */
const WORDS =
  /^(?:log|log-tag|log-format|log-format-sd|log-send-hostname|chroot|user|group|uid|gid|daemon|nbthread|nbproc|cpu-map|pidfile|node|description|ca-base|crt-base|ulimit-n|maxpipes|spread-checks|quiet|mode|backlog|id|disabled-by-default|no|hard-stop-after|setenv|presetenv|default-path|master-worker|insecure-fork-wanted|unix-bind|localpeer|maxconnrate|maxsslconn)$/
const OPTIONS =
  /^(?:httplog|tcplog|dontlognull|dontlog-normal|logasap|log-separate-errors|log-health-checks|http-server-close|httpclose|http-keep-alive|http-buffer-request|http-no-delay|forceclose|forwardfor|forwarded|redispatch|abortonclose|splice-auto|splice-request|splice-response|tcpka|clitcpka|srvtcpka|prefer-last-server|allbackups|contstats|socket-stats|http-ignore-probes|http-use-htx|nolinger|persist|idle-close-on-response|tcp-smart-accept|tcp-smart-connect|originalto|independent-streams)$/
const TIMEOUTS =
  /^(?:client-fin|server-fin|tarpit|client-hs|http-request|http-keep-alive|queue|check|client|server|connect|tunnel)$/

export function isQuiet({ name, args: [first = ''] }: Statement): boolean {
  if (name === 'option') return OPTIONS.test(first)
  if (name === 'timeout') return TIMEOUTS.test(first)
  if (name === 'stats') return first !== 'auth'
  if (name.startsWith('tune.')) return true
  return WORDS.test(name)
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^ssl-/, "TLS is Node's: NODE_OPTIONS=--tls-min-v1.3, --tls-cipher-list"],
  [
    /^(?:peers|resolvers|mailers|program|ring|cache|userlist|fcgi-app|http-errors|crt-store|log-forward|traces)$/,
    'limpet has no such section',
  ],
  [
    /^(?:redirect|http-errors|errorfile|errorloc\d*|errorfiles|monitor.*)$/,
    'limpet only forwards: responses and redirects of its own it has none',
  ],
  [
    /^(?:http-request|http-response|http-after-response|tcp-request|tcp-response)$/,
    'limpet sets and removes constant fields, and has no other rules',
  ],
  [
    /^(?:acl|use-server|force-persist|ignore-persist|block|reqrep|rsprep|reqadd|rspadd)$/,
    'limpet has no such conditions',
  ],
  [/^compression$/, 'limpet compresses nothing'],
  [/^(?:include|\.)/, 'other files and conditions are not read'],
  [/^stats$/, 'the admin port has a token: admin: { token }'],
  [/^filter$/, 'limpet has no filters'],
  [/^lua-/, 'limpet runs no Lua'],
  [/^email-alert$/, 'limpet sends no mail'],
]

/** Which directive was not taken, and why. Its values stay out: they may be secret. */
export function haproxyLoss({ name, args: [first = ''] }: Statement): Loss {
  const isFamily = /^(?:option|timeout|stats|stick|http-\w+|tcp-\w+|http-after-response)$/.test(name)
  return { what: isFamily ? `${name} ${first}` : name, why: whyOf(name) }
}

function whyOf(name: string): string {
  return REASONS.find(([pattern]) => pattern.test(name))?.[1] ?? 'limpet has no equivalent'
}
