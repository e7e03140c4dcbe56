import { basename } from 'node:path'

/** The servers whose files are taken. */
export const FORMATS = ['nginx', 'haproxy', 'traefik', 'caddy', 'ingress'] as const
export type Format = (typeof FORMATS)[number]

const NAMES: readonly (readonly [RegExp, Format])[] = [
  [/^caddyfile(?:\..*)?$|\.caddyfile$/i, 'caddy'],
  [/nginx.*\.conf$/i, 'nginx'],
  [/haproxy.*\.(?:cfg|conf)$|\.cfg$/i, 'haproxy'],
  [/traefik.*\.(?:ya?ml|toml)$|\.toml$/i, 'traefik'],
  [/ingress.*\.ya?ml$/i, 'ingress'],
]

const CONTENTS: readonly (readonly [RegExp, Format])[] = [
  [/^\s*kind:\s*["']?(?:Ingress|IngressList)\b/m, 'ingress'],
  [/^(?:http|entryPoints|providers):\s*$|^\[(?:http|entryPoints|providers)[.\]]/m, 'traefik'],
  [/^\s*(?:frontend|backend|listen|defaults|global)\b(?![^\n]*[{;])/m, 'haproxy'],
  [/^\s*(?:upstream\s+\S+|server|http|events)\s*\{/m, 'nginx'],
  [/^\s*proxy_pass\s+[^;]*;/m, 'nginx'],
  [/^\s*reverse_proxy\b/m, 'caddy'],
]

/** The format of a file, by its name and content. */
export function formatOf(file: string, text: string): Format | undefined {
  const name = basename(file)
  return (
    NAMES.find(([pattern]) => pattern.test(name))?.[1] ??
    CONTENTS.find(([pattern]) => pattern.test(text))?.[1]
  )
}
