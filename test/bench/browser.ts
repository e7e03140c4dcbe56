/** Fields that an ordinary browser sends. */
export const HEADERS = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': 'en-US,en;q=0.5',
  'accept-encoding': 'gzip, deflate, br',
  referer: 'http://shop.example.com/',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'same-origin',
}

/** Five cookies of the application's. */
export const COOKIES: string =
  'theme=dark; lang=en; _ga=GA1.2.1234567890.1700000000; session=0123456789abcdef0123456789abcdef; cart=3'

/** These cookies, and the one that a response has set. */
export function cookiesWith(setCookie: string | readonly string[] | undefined, cookies = COOKIES): string {
  const line = typeof setCookie === 'string' ? setCookie : setCookie?.[0]
  return [cookies, line?.split(';')[0] ?? ''].filter(part => part !== '').join('; ')
}

/** Request heads of a kind: the fields of each request, and the cookies beside that of limpet. */
export interface Load {
  readonly headers: Readonly<Record<string, string>>
  readonly cookies: string
}

/** `small` has five fields with Host, Connection and the cookie, as the requests of load generators and services. */
export const LOADS = {
  browser: { headers: HEADERS, cookies: COOKIES },
  small: { headers: { 'user-agent': 'bench', accept: '*/*' }, cookies: '' },
} as const satisfies Readonly<Record<string, Load>>

export type LoadName = keyof typeof LOADS
