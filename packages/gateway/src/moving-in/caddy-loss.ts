import type { Loss } from './report.ts'
import type { Statement } from './statement.ts'

/** The reason for which a directive, or a site, has no equivalent. */
export function caddyLoss({ name, args }: Statement): Loss {
  if (name === 'site')
    return {
      what: args[0] ?? '',
      why: /^&?\(/.test(args[0] ?? '')
        ? 'snippets are not followed; write out what they hold'
        : 'it passes no requests on',
    }
  const why = /^import$/.test(name)
    ? 'other files and snippets are not read'
    : /^(?:respond|redir|file_server|root|rewrite|uri|try_files|php_fastcgi|templates|error|abort|handle_errors)$/.test(
          name,
        )
      ? 'limpet only forwards: responses, redirects and files of its own it has none'
      : name === 'encode'
        ? 'limpet compresses nothing'
        : /auth/.test(name)
          ? 'limpet does not decide which clients may come'
          : 'limpet has no equivalent'
  return { what: name, why }
}
