/** `fetch` with cookies, which it has none of by itself. Just enough for one site. */
export interface Jar {
  readonly cookies: Record<string, string>
  ask(url: string, request?: RequestInit): Promise<Response>
}

/** @param cookies those from before; absent: none is kept */
export function newJar(cookies: Record<string, string> | undefined): Jar {
  const kept = { ...cookies }
  return {
    cookies: kept,
    async ask(url, request = {}) {
      const headers = new Headers(request.headers)
      const pairs = Object.entries(kept).map(([name, value]) => `${name}=${value}`)
      if (pairs.length > 0) headers.set('Cookie', pairs.join('; '))
      const answer = await fetch(url, { ...request, headers })
      for (const line of cookies === undefined ? [] : answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? []
        kept[name] = value
      }
      return answer
    },
  }
}
