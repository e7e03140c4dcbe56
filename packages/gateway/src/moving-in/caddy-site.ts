/** An address of a site. */
export interface SiteAddress {
  /** Undefined: any. */
  readonly host: string | undefined
  readonly port: number
  /** Caddy would get a certificate for it. */
  readonly isSecure: boolean
}

/** Reads `shop.example`, `http://shop.example:8080`, `:80`; undefined for a pattern, a path or a placeholder. */
export function siteAddress(text: string): SiteAddress | undefined {
  const [, scheme, host = '', digits] =
    /^(?:(https?):\/\/)?(\[[0-9A-Fa-f:.]+\]|[\w.-]*)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (host === '' && digits === undefined && scheme === undefined) return undefined
  const port = digits === undefined ? (scheme === 'http' ? 80 : 443) : Number(digits)
  if (port < 1 || port > 65_535) return undefined
  const isSecure = scheme === 'https' || (scheme === undefined && port !== 80 && host !== '')
  return { host: host === '' ? undefined : host, port, isSecure }
}
